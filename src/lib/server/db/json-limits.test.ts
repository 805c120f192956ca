import { expect, test } from 'vitest';
import { checkJson, isObject, member, STORED_BYTES, textFault } from './json-limits';

const LIMITS = { bytes: 1_000, keys: 3, depth: 2, values: 6 };

/** The breaches in the order in which they are reported, as `path: rule`. */
function check(root: Record<string, unknown>, limits: Partial<typeof LIMITS> = {}): string[] {
	const breaches: string[] = [];
	checkJson(root, 'properties', { ...LIMITS, ...limits }, (path, _, rule) =>
		breaches.push(`${path}: ${rule}`),
	);
	return breaches;
}

test.each<[what: string, root: Record<string, unknown>, breaches: string[]]>([
	['nothing', {}, []],
	['every kind of value', { a: [1, 'x', true], b: null }, []],
	['keys at the limit', { a: 1, b: 2, c: 3 }, []],
	[
		'a key too many',
		{ a: 1, b: 2, c: 3, d: 4 },
		['properties: must have at most 3 keys in one object'],
	],
	['nested too deep', { a: { b: {} } }, ['properties.a.b: must be nested at most 2 deep']],
	[
		'NUL in a text',
		{ a: ['\0'] },
		['properties.a[0]: must not contain NUL (\\u0000), which Postgres cannot store'],
	],
	[
		'a lone surrogate in a key',
		{ '\ud800': 1 },
		[
			'properties["\\ud800"]: the key must not contain a lone surrogate (\\ud800 to \\udfff without its other half)',
		],
	],
	['an infinite number', { a: Infinity }, ['properties.a: must be a finite number']],
	[
		'what is no JSON',
		{ a: undefined, b: new Date(0) },
		[
			'properties.a: must be JSON: text, number, true, false, null, array or object',
			'properties.b: must be JSON: text, number, true, false, null, array or object',
		],
	],
	[
		'a hole in an array',
		{ a: new Array(1) },
		['properties.a[0]: must be JSON: text, number, true, false, null, array or object'],
	],
])('%s', (_, root, breaches) => expect(check(root)).toEqual(breaches));

test('values are counted at all depths together, the root not among them', () => {
	expect(check({ a: [1, 2, 3, 4, 5] })).toEqual([]);
	expect(check({ a: [1, 2, 3, 4, 5, 6] })).toEqual([
		'properties: must have at most 6 values, at all depths together',
	]);
});

test('bytes are those of the JSON text in UTF-8', () => {
	const root = { a: 'é'.repeat(10) };
	const bytes = Buffer.byteLength(JSON.stringify(root));
	expect(check(root, { bytes })).toEqual([]);
	expect(check(root, { bytes: bytes - 1 })).toEqual([
		`properties: must be at most ${bytes - 1} bytes as JSON`,
	]);
});

test('numbers count as jsonb writes them out', () => {
	const root = { a: Array.from({ length: 60 }, () => 1e300) };
	expect(check(root, { values: 100 })).toEqual([
		`properties: must be at most ${STORED_BYTES} bytes with its numbers written out`,
	]);
	expect(check({ a: Array.from({ length: 60 }, () => 1) }, { values: 100 })).toEqual([]);
});

test('a cycle is a breach of depth or of values, and no endless loop', () => {
	const root: Record<string, unknown> = {};
	root.self = root;
	expect(check(root)).toEqual(['properties.self.self: must be nested at most 2 deep']);
});

test('a path is readable: dots for identifiers, brackets for the rest, long keys cut', () => {
	expect(member('', 'name')).toBe('name');
	expect(member('a', 'b')).toBe('a.b');
	expect(member('a', 'two words')).toBe('a["two words"]');
	expect(member('a', 'x'.repeat(100))).toBe(`a["${'x'.repeat(60)}…"]`);
});

test('only plain objects are objects', () => {
	expect([{}, Object.create(null)].map(isObject)).toEqual([true, true]);
	expect([null, [], new Date(), new Map(), 'x', 1].map(isObject)).toEqual(Array(6).fill(false));
});

test('whole surrogate pairs are text', () => {
	expect(textFault('😀')).toBeNull();
	expect(textFault('😀'.slice(0, 1))).toMatch('lone surrogate');
});
