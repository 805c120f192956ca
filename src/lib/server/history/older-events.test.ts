/** Older events equal SQL for generated rows, filters and searches, in pages of any size, while new rows arrive. */
import { expect, test } from 'vitest';
import fc from '../../../../tests/setup/fast-check';
import { CLAUSES, insert, rows, toWhere } from '../../../../tests/setup/filter-cases';
import { useDatabase } from '../../../../tests/setup/instances';
import { parseFilter } from '../../filter';
import type { Sql } from '../db/connect';
import { createOlderReader, parseBefore, readOlder } from './older-events';

const toFilter = (clauses: readonly string[]) => {
	const parsed = parseFilter(clauses);
	if (!parsed.ok) throw new Error(parsed.error);
	return parsed.filter;
};

/** Searches, each with what it means in SQL for the rows that are generated. */
const SEARCHES: Readonly<Record<string, string>> = {
	'': 'true',
	' SIGNUP ': `name = 'signup'`,
	// the Kelvin sign is a capital k
	back: `properties ->> 'odd' like 'BAC%'`,
	'/A': `properties ->> 'path' like '/a%' or properties ->> 'referrer' like '%/a'`,
	'ü"\\': `properties -> 'deep' is not null`,
	'%c3': `properties ->> 'url' is not null`,
	übér: `properties ->> 'url' is not null`,
	'0.0000001': `properties -> 'amount' = '1e-7'`,
	'1000': `properties -> 'amount' = '1000'`,
	'12345678901234567890.5': `properties -> 'exact' is not null`,
	DE: `context ->> 'country' = 'DE' or properties ->> 'odd' like 'o%' or name = 'order'`,
};
/** Values that are spelt differently in the table and on the page; all but one are rare. */
const ODD = fc.constantFrom<string>(
	...[
		'{}',
		'{}',
		'{}',
		'{"odd": "BAC\u212a"}',
		'{"odd": "ode"}',
		'{"exact": 12345678901234567890.5}',
	],
	...['{"deep": [{"x": "Ü\\"\\\\"}]}', '{"url": "/%C3%BCb%c3%a9r%41"}'],
);

test('pages equal SQL under every filter and search, without gap or repeat while rows arrive', async () => {
	const { sql } = await useDatabase();
	const limit = fc.integer({ min: 1, max: 7 });
	const search = fc.constantFrom(...Object.keys(SEARCHES));
	const clauses = fc.uniqueArray(fc.constantFrom(...Object.keys(CLAUSES)), { maxLength: 3 });
	const asked = fc.array(fc.record({ clauses, search, limit }), { minLength: 10, maxLength: 10 });
	let found = 0;
	await fc.assert(
		fc.asyncProperty(rows, fc.array(ODD, { minLength: 8 }), asked, async (inserted, odd, views) => {
			await Promise.all(inserted.map((row) => insert(sql, row)));
			for (const one of odd)
				await sql`insert into nowboard.events (name, properties) values ('odd', ${one}::text::jsonb)`;
			for (const view of views) {
				const where = `(${toWhere(view.clauses)}) and (${SEARCHES[view.search]})`;
				const expected = await sql.unsafe<{ id: string }[]>(
					`select id from nowboard.events where ${where} order by tx desc, id desc`,
				);
				const ids: number[] = [];
				const spec = { filter: toFilter(view.clauses), search: view.search, limit: view.limit };
				let before: string | null = null;
				do {
					const page = await readOlder(sql, { ...spec, before }, 9);
					expect(page.events.length).toBeLessThanOrEqual(view.limit);
					ids.push(...page.events.map(({ id }) => id));
					before = page.next;
					await sql`insert into nowboard.events (name, context) values ('signup', '{"country": "DE"}')`;
				} while (before !== null);
				expect(ids, where).toEqual(expected.map(({ id }) => Number(id)));
				found += ids.length;
			}
			await sql`truncate nowboard.events`;
		}),
		{ numRuns: 12, endOnFailure: true },
	);
	expect(found).toBeGreaterThan(0);
});

/** Two transactions that commit in the other order, and one row beyond what the page shows. */
async function writeOutOfOrder(sql: Sql) {
	await sql`insert into nowboard.events (id, name) values (7, 'last of the page')`;
	await sql`insert into nowboard.events (id, name) values (3, 'later, with a lower id')`;
	await sql`insert into nowboard.events (id, name) values (9, 'newest')`;
}

test('the page after a row goes on in the order of arrival', async () => {
	const { sql } = await useDatabase();
	await writeOutOfOrder(sql);
	const spec = { filter: [], limit: 10 };
	const first = await readOlder(sql, { ...spec, before: null, limit: 1 });
	expect(first).toMatchObject({ events: [{ id: 9 }], next: expect.stringMatching(/^\d+\.9$/) });
	const rest = await readOlder(sql, { ...spec, before: '3' });
	expect([rest.events.map(({ id }) => id), rest.next]).toEqual([[7], null]);
});

test('(control) by id the page after a row would leave a gap', async () => {
	const { sql } = await useDatabase();
	await writeOutOfOrder(sql);
	expect(await sql`select id from nowboard.events where id < 3`).toEqual([]);
});

test('what is no position is refused, and so is an event that is gone', async () => {
	const { sql } = await useDatabase();
	for (const before of [
		'',
		'x',
		'-1',
		'1.2.3',
		'1.',
		'99999999999999999999',
		'99999999999999999999.1',
	])
		await expect(readOlder(sql, { filter: [], before, limit: 1 })).rejects.toMatchObject({
			status: 400,
		});
	await expect(readOlder(sql, { filter: [], before: '12', limit: 1 })).rejects.toMatchObject({
		status: 404,
	});
	expect(parseBefore('18446744073709551615.9223372036854775807')).not.toBeNull();
});

test('an event is found by its id whatever its age, unless a condition keeps it back', async () => {
	const { sql } = await useDatabase();
	const eventId = crypto.randomUUID();
	await sql`insert into nowboard.events (event_id, name, source, created_at)
		values (${eventId}, 'old', 'shop', '2001-01-01')`;
	const log = { warn: () => {} } as never;
	const { find } = createOlderReader({ sql, log });
	expect(await find(eventId, { filter: [] })).toMatchObject({ name: 'old', eventId });
	expect(await find(eventId, { filter: [], bound: toFilter(['source:shop']) })).not.toBeNull();
	expect(await find(eventId, { filter: [], bound: toFilter(['source:web']) })).toBeNull();
	expect(await find(crypto.randomUUID(), { filter: [] })).toBeNull();
});
