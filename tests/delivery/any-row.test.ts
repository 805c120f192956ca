/**
 * Inserts by SQL whatever the columns can hold, and compares with what the stream shows. Set TEST_CASES for a longer run.
 */
import fc from '../setup/fast-check';
import { LosslessNumber, parse } from 'lossless-json';
import { expect, test } from 'vitest';
import { PARSERS } from '../../src/lib/stores/parse';
import { follow } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';

const numRuns = Number(process.env.TEST_CASES ?? 25);
const BATCH = 8;

const text = fc
	.oneof(
		fc.string({ unit: 'binary', minLength: 1, maxLength: 120 }),
		fc.constantFrom('__proto__', 'page_view', 'null', '</script>', '\u2028\r\n', "';--", '𝕏'),
	)
	.map((value) => value.replaceAll('\0', '0'));
const digits = (most: number) =>
	fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most });
const number = fc
	.tuple(fc.constantFrom('', '-'), digits(400), fc.option(digits(60), { nil: null }))
	.map(([sign, whole, part]) => `${sign}${whole.replace(/^0+(?=.)/, '')}${part ? `.${part}` : ''}`);
const key = fc.oneof(
	text,
	fc.constantFrom('', '__proto__', 'constructor', 'toJSON', 'path', 'referrer', 'slash', 'url'),
);
const json = fc.letrec<{ any: string }>((tie) => ({
	any: fc.oneof(
		{ maxDepth: 4 },
		number,
		text.map((value) => JSON.stringify(value)),
		fc.constantFrom('true', 'false', 'null', '1e308', '-0', '0.30'),
		fc.nat({ max: 7_000 }).map((levels) => '['.repeat(levels + 1) + ']'.repeat(levels + 1)),
		fc.nat({ max: 15_000 }).map((length) => JSON.stringify('x'.repeat(length))),
		fc.array(tie('any'), { maxLength: 4 }).map((items) => `[${items.join()}]`),
		fc
			.array(fc.tuple(key, tie('any')), { maxLength: 4 })
			.map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`),
	),
})).any;
const row = fc.record({
	name: text,
	source: text,
	sessionId: fc.option(text, { nil: null }),
	properties: fc
		.array(fc.tuple(key, json), { maxLength: 4 })
		.map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`),
	createdAt: fc.oneof(
		fc.constantFrom('infinity', '-infinity', '0044-03-15 BC', '0001-01-01', '290000-01-01', 'now'),
		// seconds since 1970, from 4713 BC to the year 294276
		fc
			.integer({ min: -210_866_000_000, max: 9_224_000_000_000 })
			.map((seconds) => `epoch ${seconds}`),
	),
	id: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: null, freq: 4 }),
});

/** Whether the browser's value is the stored one: a number of the same value, or the same digits. */
function isExact(stored: unknown, shown: unknown): boolean {
	if (stored instanceof LosslessNumber)
		return typeof shown === 'string'
			? shown === stored.value
			: toFraction(String(shown)) === toFraction(stored.value);
	if (typeof stored !== 'object' || stored === null) return stored === shown;
	const [a, b] = [Object.entries(stored), Object.entries(shown as object)];
	return (
		a.length === b.length &&
		a.every(([key, value], i) => key === b[i]?.[0] && isExact(value, b[i]?.[1]))
	);
}

/** A decimal without exponent and without what does not change its value. */
function toFraction(decimal: string): string {
	const [mantissa = '', exponent = '0'] = decimal.toLowerCase().split('e');
	const [whole = '', part = ''] = mantissa.replace('-', '').split('.');
	const value = (whole + part).replace(/^0+/, '');
	if (value === '') return '0';
	const digits = value.replace(/0+$/, '');
	const scale = Number(exponent) - part.length + (value.length - digits.length);
	return `${mantissa.startsWith('-') ? '-' : ''}${digits}e${scale}`;
}

test(
	'whatever a row holds, it is shown exactly, or skipped and counted',
	async () => {
		const { url, sql } = await useDatabase();
		await sql`alter table nowboard.events drop constraint events_created_at_in_years_1_to_9999`;
		const instance = await startTestInstance(url, { frameIntervalMs: 1 });
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		let total = 0;
		let faults = 0;
		const shownBefore = () => client.of('activity').flatMap(({ events }) => events);

		await fc.assert(
			fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: BATCH }), async (rows) => {
				const before = shownBefore().length;
				const ids: string[] = [];
				await sql.begin(async (tx) => {
					for (const { name, source, sessionId, properties, createdAt, id } of rows) {
						const at = createdAt.startsWith('epoch ')
							? tx`to_timestamp(${createdAt.slice(6)}::float8)`
							: tx`${createdAt}::text::timestamptz`;
						const [made] = await tx`
						insert into nowboard.events (id, name, source, session_id, properties, created_at)
						select coalesce(${id === null ? null : id.toString()}::bigint, nextval('nowboard.events_id_seq')),
							left(${name}, 120), left(${source}, 120), left(${sessionId}, 120), made, ${at}
						from (select ${properties}::text::jsonb as made) one where octet_length(made::text) <= 16384
						on conflict do nothing returning id::text`;
						if (made) ids.push(made.id as string);
					}
				});
				total += ids.length;
				await client.until(({ ids, omitted }) => ids.length + omitted() === total);
				const stored = await sql`
				select id::text, name, source, session_id, properties::text as text,
					(extract(epoch from created_at) * 1000)::text as at
				from nowboard.events where id = any(${`{${ids.join()}}`}::bigint[]) order by id`;
				const shown = new Map(
					shownBefore()
						.slice(before)
						.map((event) => [String(event.id), event]),
				);
				for (const one of stored) {
					const event = shown.get(one.id as string);
					const text = one.text as string;
					const at = Number(one.at);
					if (!event) {
						faults++;
						// a row that could have been shown is never skipped
						const isOdd = !Number.isSafeInteger(Number(one.id)) || !(Math.abs(at) <= 8.64e15);
						expect(isOdd || /\[{60}/.test(text), text.slice(0, 200)).toBe(true);
						continue;
					}
					expect([event.name, event.source, event.sessionId, Date.parse(event.createdAt)]).toEqual([
						...[one.name, one.source, one.session_id, at],
					]);
					expect(isExact(parse(text), event.properties), text.slice(0, 400)).toBe(true);
				}
				const frame = client.of('activity').at(-1);
				expect(PARSERS.activity(frame)).toMatchObject({ ok: true });
			}),
			{ numRuns, endOnFailure: true },
		);
		expect(shownBefore().length + faults).toBe(total);
		expect(client.omitted()).toBe(faults);
		expect(instance.skipped.count()).toBe(faults);
		// a process that begins with these rows shows them too
		const fresh = follow(await startTestInstance(url));
		await fresh.until(() => fresh.resets() === 1);
		expect(PARSERS.reset(fresh.of('reset')[0])).toMatchObject({ ok: true });
	},
	60_000 + numRuns * 2_000,
);
