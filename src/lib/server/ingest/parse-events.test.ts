import fc, { casesOf } from '../../../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import { INGEST_LIMITS, type InputError } from '../../ingest-limits';
import { MAX_ERRORS, parseEvents } from './parse-events';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const ID = '0B0E6D4E-5f0e-4a52-8f3e-0d6f3a1c9b7d';
const parse = (body: unknown) => parseEvents(body, NOW);
const of = (json: string) => parse(JSON.parse(json));

/** `[item ]path: rule` of every error, or the word "accepted". */
function verdict(body: unknown): string[] {
	const parsed = parse(body);
	if (parsed.ok) return ['accepted'];
	return parsed.errors.map(
		({ item, path, rule }) => `${item === undefined ? '' : `${item} `}${path}: ${rule}`,
	);
}
const verdictOn = (event: object) => verdict({ name: 'a', ...event });

describe('an event', () => {
	test('with a name alone gets every default', () => {
		expect(parse({ name: 'signup' })).toEqual({
			ok: true,
			events: [
				{
					eventId: null,
					name: 'signup',
					source: 'api',
					sessionId: null,
					userId: null,
					properties: {},
					context: null,
					createdAt: null,
				},
			],
			clamped: [],
		});
	});

	test('that names no source, by leaving it out or by null, is of the one that is handed over', () => {
		const sources = (source?: string) => {
			const body = [{ name: 'a' }, { name: 'b', source: null }, { name: 'c', source: 'web' }];
			const parsed = parseEvents(body, NOW, source);
			return parsed.ok && parsed.events.map((event) => event.source);
		};
		expect([sources('shop'), sources()]).toEqual([
			['shop', 'shop', 'web'],
			['api', 'api', 'web'],
		]);
	});

	test('with everything is taken as it is, its id in lower case and its time in UTC', () => {
		const body = {
			name: 'signup',
			properties: { plan: 'pro', tags: ['a', { b: null }], '🦊': 1.5 },
			eventId: ID,
			sessionId: 's1',
			userId: 'u1',
			source: 'web',
			timestamp: '2026-03-01T12:30:00.123456+01:00',
		};
		expect(parse([body])).toEqual({
			ok: true,
			events: [
				{
					eventId: ID.toLowerCase(),
					name: 'signup',
					source: 'web',
					sessionId: 's1',
					userId: 'u1',
					properties: body.properties,
					context: null,
					createdAt: '2026-03-01T11:30:00.123Z',
				},
			],
			clamped: [],
		});
	});

	test('null in an optional field is the same as leaving it out', () => {
		const optional = { properties: null, eventId: null, sessionId: null, source: null };
		expect(parse({ name: 'a', ...optional, timestamp: null })).toEqual(parse({ name: 'a' }));
	});

	test('at every limit is accepted, one beyond it is refused', () => {
		const nested = (depth: number): object => (depth === 1 ? {} : { a: nested(depth - 1) });
		const keys = (count: number) =>
			Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
		const bytes = (count: number) => ({ a: 'x'.repeat(count - '{"a":""}'.length) });
		expect({
			'name of 120': verdictOn({ name: '🦊'.repeat(120) }),
			'name of 121': verdictOn({ name: '🦊'.repeat(121) }),
			'source of 121': verdictOn({ source: 'x'.repeat(121) }),
			'session of 200': verdictOn({ sessionId: 'x'.repeat(200) }),
			'session of 201': verdictOn({ sessionId: 'x'.repeat(201) }),
			'depth 5': verdictOn({ properties: nested(5) }),
			'depth 6': verdictOn({ properties: nested(6) }),
			'64 keys': verdictOn({ properties: keys(64) }),
			'65 keys': verdictOn({ properties: { deep: keys(65) } }),
			'500 values': verdictOn({ properties: { a: Array(497).fill({}), b: [1] } }),
			'501 values': verdictOn({ properties: { a: Array(498).fill({}), b: [1] } }),
			'8192 bytes': verdictOn({ properties: bytes(8192) }),
			'8193 bytes': verdictOn({ properties: bytes(8193) }),
			'8192 characters of two bytes': verdictOn({ properties: { a: 'é'.repeat(8192 - 8) } }),
			'500 events': verdict(Array.from({ length: 500 }, () => ({ name: 'a' }))),
			'501 events': verdict(Array.from({ length: 501 }, () => ({ name: 'a' }))),
			'no events': verdict([]),
		}).toEqual({
			'name of 120': ['accepted'],
			'name of 121': ['name: must have 1 to 120 characters'],
			'source of 121': ['source: must have 1 to 120 characters'],
			'session of 200': ['accepted'],
			'session of 201': ['sessionId: must have 1 to 200 characters'],
			'depth 5': ['accepted'],
			'depth 6': ['properties.a.a.a.a.a: must be nested at most 5 deep'],
			'64 keys': ['accepted'],
			'65 keys': ['properties.deep: must have at most 64 keys in one object'],
			'500 values': ['accepted'],
			'501 values': ['properties: must have at most 500 values, at all depths together'],
			'8192 bytes': ['accepted'],
			'8193 bytes': ['properties: must be at most 8192 bytes as JSON'],
			'8192 characters of two bytes': ['properties: must be at most 8192 bytes as JSON'],
			'500 events': ['accepted'],
			'501 events': ['(body): must be one event or an array of 1 to 500'],
			'no events': ['(body): must be one event or an array of 1 to 500'],
		});
	});

	test('what is far beyond the limit of values is not looked at', () => {
		let looked = 0;
		const many = new Proxy(Array(174_000).fill({}), {
			get(items, name, receiver) {
				if (typeof name === 'string' && /^\d+$/.test(name)) looked++;
				return Reflect.get(items, name, receiver) as unknown;
			},
		});
		expect(verdictOn({ properties: { many } })).toHaveLength(1);
		expect(looked).toBeLessThan(1_000);
	});

	test('numbers that Postgres would write out beyond its limit are refused, not stored', () => {
		expect(of(`{"name":"a","properties":{"a":[${'1e308,'.repeat(60)}1]}}`)).toMatchObject({
			errors: [
				{ path: 'properties', rule: 'must be at most 16384 bytes with its numbers written out' },
			],
		});
		expect(of('{"name":"a","properties":{"a":[1e308,1e-300]}}').ok).toBe(true);
		expect(of('{"name":"a","properties":{"a":[1e309]}}')).toMatchObject({
			errors: [
				{
					path: 'properties.a[0]',
					value: 'Infinity',
					rule: 'must be a finite number',
				},
			],
		});
	});
});

describe('what is wrong', () => {
	test('every wrong field is named with its path, value and rule, in a batch with its item', () => {
		const parsed = parse([
			{ name: 'fine' },
			{ name: '', eventId: 'x'.repeat(100), propertys: {}, sessionId: 7, source: '' },
			null,
			{ properties: [] },
		]);
		expect(parsed).toEqual({
			ok: false,
			omitted: 0,
			errors: [
				{
					item: 1,
					path: 'propertys',
					value: '{…}',
					rule: 'is not a field of an event; these are: name, properties, eventId, sessionId, userId, source, timestamp, context',
				},
				{ item: 1, path: 'name', value: '', rule: 'must have 1 to 120 characters' },
				{
					item: 1,
					path: 'eventId',
					value: `${'x'.repeat(60)}…`,
					rule: 'must be a uuid, such as 0b0e6d4e-5f0e-4a52-8f3e-0d6f3a1c9b7d',
				},
				{ item: 1, path: 'source', value: '', rule: 'must have 1 to 120 characters' },
				{ item: 1, path: 'sessionId', value: 7, rule: 'must be a text' },
				{ item: 2, path: '(event)', value: null, rule: 'must be an object with at least a name' },
				{
					item: 3,
					path: 'name',
					value: undefined,
					rule: 'is required: a text of 1 to 120 characters',
				},
				{ item: 3, path: 'properties', value: '[… 0 items]', rule: 'must be an object' },
			],
		});
	});

	test('NUL and lone surrogates are found wherever text can be', () => {
		for (const bad of ['\\u0000', '\\ud800', '\\udc00x', 'x\\udbff'])
			for (const [json, path] of [
				[`{"name":"${bad}"}`, 'name'],
				[`{"name":"a","source":"${bad}"}`, 'source'],
				[`{"name":"a","sessionId":"${bad}"}`, 'sessionId'],
				[`{"name":"a","properties":{"x":"${bad}"}}`, 'properties.x'],
				[`{"name":"a","properties":{"x":[1,{"y":"${bad}"}]}}`, 'properties.x[1].y'],
				[
					`{"name":"a","properties":{"${bad}":1}}`,
					`properties[${JSON.stringify(JSON.parse(`"${bad}"`))}]`,
				],
			] as const) {
				const parsed = of(json);
				expect(parsed.ok ? json : parsed.errors.map(({ path }) => path)).toEqual([path]);
			}
		expect(of('{"name":"\\ud83e\\udd8a"}').ok).toBe(true);
	});

	test('a list of errors is bounded and says how many it leaves out', () => {
		const body = Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`x${i}`, i]));
		const parsed = parse({ name: 'a', ...body });
		expect(parsed).toMatchObject({ ok: false, omitted: 200 });
		expect(parsed.ok ? 0 : parsed.errors.length).toBe(MAX_ERRORS);
	});

	test('a key __proto__ is a key: it lends nothing at the top and is kept as data below', () => {
		expect(of('{"__proto__":{"name":"a"}}')).toMatchObject({
			errors: [{ path: '__proto__' }, { path: 'name' }],
		});
		const parsed = of('{"name":"a","properties":{"__proto__":{"polluted":true}}}');
		expect(parsed.ok && JSON.stringify(parsed.events[0]?.properties)).toBe(
			'{"__proto__":{"polluted":true}}',
		);
		expect('polluted' in {}).toBe(false);
	});

	test('what is no plain object is no event, whatever it pretends', () => {
		const cycle: Record<string, unknown> = {};
		cycle.self = cycle;
		for (const body of [
			undefined,
			null,
			1,
			'a',
			true,
			new Date(),
			new Map(),
			() => 1,
			Symbol('s'),
			1n,
		])
			expect(verdict(body)[0]).toBe('(event): must be an object with at least a name');
		expect(verdictOn({ properties: new Date() })).toEqual(['properties: must be an object']);
		expect(verdictOn({ properties: cycle })).toHaveLength(1);
		// eslint-disable-next-line no-sparse-arrays
		expect(verdictOn({ properties: { a: [, 1n] } })).toHaveLength(2);
	});
});

describe('a timestamp', () => {
	test.each([
		['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
		['2026-03-01T11:59', 'refused'],
		['2026-03-01T11:59Z', '2026-03-01T11:59:00.000Z'],
		['2026-03-01T12:00:00.1+05:30', '2026-03-01T06:30:00.100Z'],
		['2026-03-01T00:00:00', 'refused'],
		['2026-03-01', 'refused'],
		['2026-02-30T12:00:00Z', 'refused'],
		['2025-02-29T12:00:00Z', 'refused'],
		['2026-03-01T25:00:00Z', 'refused'],
		['2026-03-01T12:00:60Z', 'refused'],
		['2026-13-01T12:00:00Z', 'refused'],
		['2026-03-01T12:00:00+0100', 'refused'],
		['+002026-03-01T12:00:00Z', 'refused'],
		['infinity', 'refused'],
		['', 'refused'],
		[1772366399999, '2026-03-01T11:59:59.999Z'],
		[1772366400001, '2026-03-01T12:00:00.000Z', 'clamped'],
		[1772366400, 'refused'],
		[-1, 'refused'],
		['2026-03-01T12:00:00.001Z', '2026-03-01T12:00:00.000Z', 'clamped'],
		['9999-12-31T23:59:59Z', '2026-03-01T12:00:00.000Z', 'clamped'],
		['2026-02-28T12:00:00.000Z', '2026-02-28T12:00:00.000Z'],
		['2026-02-28T11:59:59.999Z', '2026-02-28T12:00:00.000Z', 'clamped'],
		['0000-01-01T00:00:00Z', '2026-02-28T12:00:00.000Z', 'clamped'],
	])('%s becomes %s %s', (timestamp, expected, clamped?: string) => {
		const parsed = parse({ name: 'a', timestamp });
		expect(parsed.ok ? parsed.events[0]?.createdAt : 'refused').toBe(expected);
		if (parsed.ok)
			expect(parsed.clamped).toEqual(clamped ? [{ from: String(timestamp), to: expected }] : []);
	});

	test('clamped in a batch is reported with its item', () => {
		expect(parse([{ name: 'a' }, { name: 'b', timestamp: '2027-01-01T00:00:00Z' }])).toMatchObject({
			clamped: [{ item: 1, from: '2027-01-01T00:00:00Z', to: '2026-03-01T12:00:00.000Z' }],
		});
	});
});

describe('generated bodies', () => {
	const runs = { numRuns: casesOf({ short: 200, long: 1_000 }) };
	const text = fc.string({ unit: 'binary', maxLength: 130 });
	const codeUnits = fc
		.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
		.map((units) => String.fromCharCode(...units));

	/** What the table's columns and CHECKs take, written again and independently. */
	function tableTakes(event: {
		eventId: string | null;
		name: string;
		source: string;
		sessionId: string | null;
		properties: object;
		createdAt: string | null;
	}): boolean {
		const length = (value: string) => Array.from(value).length;
		const json = JSON.stringify(event);
		return (
			length(event.name) >= 1 &&
			length(event.name) <= 120 &&
			length(event.source) >= 1 &&
			length(event.source) <= 120 &&
			(event.sessionId === null ||
				(length(event.sessionId) >= 1 && length(event.sessionId) <= 200)) &&
			/^\{.*\}$/s.test(JSON.stringify(event.properties)) &&
			Buffer.byteLength(JSON.stringify(event.properties)) <= 8 * 1024 &&
			(event.eventId === null ||
				/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(event.eventId)) &&
			(event.createdAt === null || Math.abs(NOW - Date.parse(event.createdAt)) <= 864e5) &&
			// JSON.stringify escapes exactly NUL as \u0000 and lone surrogates as \ud800 to \udfff
			!/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/.test(json)
		);
	}

	function check(body: unknown): { accepted: boolean; errors: InputError[] } {
		const parsed = parse(body);
		if (parsed.ok) {
			expect(parsed.events.filter((event) => !tableTakes(event))).toEqual([]);
			return { accepted: true, errors: [] };
		}
		expect(parsed.errors.length).toBeGreaterThan(0);
		for (const { path, rule, value, item } of parsed.errors) {
			expect(path).not.toBe('');
			expect(rule).toMatch(/^(must|is) |^the key must /);
			expect(String(value ?? '').length).toBeLessThan(80);
			expect(item === undefined).toBe(!Array.isArray(body) || path === '(body)');
		}
		expect(() => JSON.stringify(parsed)).not.toThrow();
		return { accepted: false, errors: parsed.errors };
	}

	const sound = fc.record(
		{
			name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
			properties: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }),
			eventId: fc.uuid(),
			sessionId: fc.string({ minLength: 1, maxLength: 200 }),
			source: fc.string({ minLength: 1, maxLength: 120 }),
			timestamp: fc
				.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
				.map((date) => date.toISOString()),
		},
		{ requiredKeys: ['name'] },
	);

	/** Each kind: a way to spoil an event, and the path that must be named. */
	const kinds: [string, fc.Arbitrary<{ body: unknown; path: string | RegExp }>][] = [
		[
			'no object',
			fc
				.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null))
				.map((body) => ({ body, path: '(event)' })),
		],
		[
			'a name of the wrong type or length',
			fc
				.tuple(
					sound,
					fc.oneof(
						fc.constant(''),
						fc.string({ minLength: 121, maxLength: 400, unit: 'grapheme' }),
						fc.integer(),
						fc.boolean(),
						fc.constant(null),
						fc.array(fc.string()),
						fc.object(),
					),
				)
				.map(([event, name]) => ({ body: { ...event, name }, path: 'name' })),
		],
		[
			'an unknown field',
			fc
				.tuple(
					sound,
					fc.string({ minLength: 1, maxLength: 20 }).map((key) => `x${key}`),
					fc.jsonValue(),
				)
				.map(([event, key, value]) => ({ body: { ...event, [key]: value }, path: /x/ })),
		],
		[
			'no uuid',
			fc
				.tuple(
					sound,
					fc.oneof(
						fc.uuid().map((id) => `${id}0`),
						fc.string(),
						fc.integer(),
					),
				)
				.map(([event, eventId]) => ({ body: { ...event, eventId }, path: 'eventId' })),
		],
		[
			'no time',
			fc
				.tuple(
					sound,
					fc.oneof(
						fc.string(),
						fc.integer(),
						fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, -1)),
						fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
					),
				)
				.map(([event, timestamp]) => ({ body: { ...event, timestamp }, path: 'timestamp' })),
		],
		[
			'properties that are no object',
			fc
				.tuple(sound, fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.array(fc.jsonValue())))
				.map(([event, properties]) => ({ body: { ...event, properties }, path: 'properties' })),
		],
		[
			'properties too deep',
			fc.tuple(sound, fc.integer({ min: 5, max: 5_000 })).map(([event, depth]) => {
				let value: unknown = 1;
				for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { d: value };
				return { body: { ...event, properties: { value } }, path: /^properties\.value/ };
			}),
		],
		[
			'too many keys',
			fc.tuple(sound, fc.integer({ min: 65, max: 300 })).map(([event, count]) => ({
				body: {
					...event,
					properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])),
				},
				path: 'properties',
			})),
		],
		[
			'too many bytes',
			fc.tuple(sound, fc.integer({ min: 8_187, max: 20_000 })).map(([event, length]) => ({
				body: { ...event, properties: { a: 'x'.repeat(length) } },
				path: 'properties',
			})),
		],
		[
			'NUL or half a character in a nested text or key',
			fc
				.tuple(sound, codeUnits, fc.constantFrom('\0', '\ud800', '\udfff'), fc.boolean())
				.map(([event, some, bad, inKey]) => {
					const spoiled = `${some.isWellFormed() ? some : ''} ${bad} `;
					const list = [1, inKey ? { [spoiled]: 1 } : spoiled];
					return { body: { ...event, properties: { list } }, path: /^properties\.list\[1\]/ };
				}),
		],
		[
			'a batch with one bad item',
			fc.tuple(fc.array(sound, { maxLength: 20 }), fc.nat(20)).map(([events, at]) => ({
				body: events.toSpliced(at, 0, { name: '' } as never),
				path: 'name',
			})),
		],
	];

	test.each(kinds)('%s: always refused, with a path and a rule', (_, arbitrary) => {
		fc.assert(
			fc.property(arbitrary, ({ body, path }) => {
				const { accepted, errors } = check(body);
				expect(accepted).toBe(false);
				const paths = errors.map((error) => error.path);
				expect(
					paths.filter((one) => (path instanceof RegExp ? path.test(one) : path === one)),
				).not.toEqual([]);
			}),
			runs,
		);
	});

	test('anything at all: never throws, never accepts what the table would refuse', () => {
		const anything = fc.anything({
			withBigInt: true,
			withDate: true,
			withMap: true,
			withNullPrototype: true,
			withSparseArray: true,
			withTypedArray: true,
		});
		fc.assert(
			fc.property(anything, (body) => void check(body)),
			runs,
		);
		const fields = fc.record(
			{
				name: text,
				properties: anything,
				eventId: text,
				sessionId: text,
				source: codeUnits,
				timestamp: text,
			},
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(fc.oneof(fields, fc.array(fields)), (body) => void check(body)),
			runs,
		);
	});

	test('sound events are accepted, alone and in a batch', () => {
		fc.assert(
			fc.property(fc.array(sound, { minLength: 1, maxLength: INGEST_LIMITS.batch }), (batch) => {
				expect(check(batch)).toEqual({ accepted: true, errors: [] });
				expect(check(batch[0]).accepted).toBe(true);
			}),
			{ numRuns: casesOf({ short: 50, long: 200 }) },
		);
	});
});

describe('the path of a page view', () => {
	const stored = (event: object) => {
		const parsed = parseEvents({ ...event }, 0);
		return parsed.ok ? parsed.events[0]?.properties : parsed.errors;
	};

	test('is stored in one spelling, whatever was sent', () => {
		for (const path of ['/über', '/%C3%BCber/', '/%c3%bcber/index.html'])
			expect(stored({ name: 'page_view', properties: { path, title: 'T' } })).toEqual({
				path: '/über',
				title: 'T',
			});
		const properties = { path: '/%C3%BCber/', slash: true };
		expect(stored({ name: 'page_view', properties })).toEqual({ path: '/über/', slash: true });
	});

	test('is left alone when it is no text, and in other events', () => {
		for (const path of [7, null, ['/a/']])
			expect(stored({ name: 'page_view', properties: { path } })).toEqual({ path });
		expect(stored({ name: 'page_view', properties: {} })).toEqual({});
		expect(stored({ name: 'upload', properties: { path: 'a/' } })).toEqual({ path: 'a/' });
	});

	test('keeps to the limit of the properties when encoding makes it longer', () => {
		const path = `/${'\u200b'.repeat(2_000)}`;
		expect(stored({ name: 'page_view', properties: { path } })).toEqual([
			expect.objectContaining({ path: 'properties' }),
		]);
	});
});
