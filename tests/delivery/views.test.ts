/**
 * The oracle of live queries: every view equals SQL over the table at the view's own time, whatever was inserted, late,
 * early, doubled, rolled back, deleted or with odd values. VIEW_CASES sets the number of cases, of 25 views each.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from '../setup/fast-check';
import { CLAUSES, insert, rows, toWhere, type Row } from '../setup/filter-cases';
import { expect, test } from 'vitest';
import type { Dimension } from '../../src/lib/dimensions';
import { parseFilter } from '../../src/lib/filter';
import type { Sql } from '../../src/lib/server/db/connect';
import { TABLE_LENGTH, type DashboardState } from '../../src/lib/protocol';
import type { ViewSpec } from '../../src/lib/server/live/views';
import { startTestInstance, useDatabase } from '../setup/instances';

const CASES = Number(process.env.VIEW_CASES ?? 12);
const VIEWS_PER_CASE = 25;

/** Breakdowns, and the text of a row's value in SQL. */
const BY: Readonly<Record<string, string>> = {
	path: `case jsonb_typeof(properties -> 'path') when 'string' then properties ->> 'path' else '' end`,
	name: 'name',
	country: `coalesce(context ->> 'country', '')`,
	'props.amount': `case jsonb_typeof(properties -> 'amount')
		when 'number' then trim_scale((properties ->> 'amount')::numeric)::text
		when 'array' then '' else coalesce(properties ->> 'amount', '') end`,
};
const ofPageViews = (dimension: string) => dimension === 'path';

const filters = fc.array(
	fc.uniqueArray(fc.constantFrom(...Object.keys(CLAUSES)), { maxLength: 4 }),
	{
		minLength: VIEWS_PER_CASE,
		maxLength: VIEWS_PER_CASE,
	},
);

function toView(clauses: readonly string[]): { spec: ViewSpec; where: string } {
	const parsed = parseFilter(clauses);
	if (!parsed.ok) throw new Error(parsed.error);
	return {
		spec: { filter: parsed.filter, by: Object.keys(BY) as Dimension[] },
		where: toWhere(clauses),
	};
}

/** What SQL counts at `at`, in the shape of a state. */
async function count(sql: Sql, where: string, at: string) {
	const within = (ms: number) =>
		`created_at > '${at}'::timestamptz - interval '${ms} ms' and created_at <= '${at}'::timestamptz and ${where}`;
	const [totals] = await sql.unsafe(`
		select count(*) filter (where name = 'page_view')::int as "pageViews",
			(select count(distinct session_id)::int from nowboard.events where ${within(300_000)}) as "activeSessions",
			count(*)::int as "eventsCount",
			(select count(*)::int from nowboard.events where ${within(60_000)}) as "eventsPerMinute"
		from nowboard.events where ${within(1_800_000)}`);
	const tables: { [dimension: string]: unknown } = {};
	for (const [dimension, expression] of Object.entries(BY)) {
		const found = await sql.unsafe<{ key: string; count: number }[]>(`
			select ${expression} as key, count(*)::int as count from nowboard.events
			where ${within(1_800_000)} ${ofPageViews(dimension) ? `and name = 'page_view'` : ''}
			group by 1`);
		found.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
		tables[dimension] = {
			rows: found.slice(0, TABLE_LENGTH).map((row) => ({ ...row })),
			other: found.slice(TABLE_LENGTH).reduce((sum, { count }) => sum + count, 0),
		};
	}
	const feed = await sql.unsafe<{ id: string }[]>(
		`select id from nowboard.events where ${where} order by tx desc, id desc limit 50`,
	);
	return {
		totals: { ...totals } as DashboardState['totals'],
		tables,
		events: feed.map(({ id }) => Number(id)),
	};
}

/** What of everything's state is not what SQL counts, after another look at the table. */
async function differences(sql: Sql, instance: Awaited<ReturnType<typeof startTestInstance>>) {
	instance.look();
	const { totals, events, at } = instance.state();
	const shown = [totals, events.map(({ id }) => id)];
	const counted = await count(sql, 'true', at);
	const expected = [counted.totals, counted.events];
	return isDeepStrictEqual(shown, expected) ? [] : [shown, expected];
}

test('every view equals SQL over the table at its own time', async () => {
	const { url, sql } = await useDatabase();
	const instance = await startTestInstance(url);
	let all = 0;
	await fc.assert(
		fc.asyncProperty(
			rows,
			filters,
			fc.nat(3),
			fc.nat(5),
			async (inserted, asked, rolledBack, deleted) => {
				const views = asked.map(toView);
				// half of them watch while the rows arrive, the others are opened later
				const early = views.slice(0, VIEWS_PER_CASE / 2);
				await Promise.all(early.map(({ spec }) => instance.ready(spec)));
				for (const [i, row] of inserted.entries()) {
					const keep = i % 4 !== rolledBack;
					await sql
						.begin(async (tx) => {
							await insert(tx as unknown as Sql, row);
							if (!keep) throw new Error('rolled back');
							if (row.age < 7_200 && row.age >= 0 && row.age <= 1_799) all++;
						})
						.catch(() => {});
				}
				const last = await sql<{ id: string }[]>`select max(id) as id from nowboard.events`;
				const newest = Number(last[0]?.id ?? 0);
				await expect
					.poll(() => instance.state().events[0]?.id ?? 0, { timeout: 60_000, interval: 5 })
					.toBe(newest);
				// after a deletion everything is read again, a second later
				if (deleted === 0) {
					await sql`delete from nowboard.events where id % 3 = 0`;
					await expect
						.poll(() => differences(sql, instance), { timeout: 60_000, interval: 50 })
						.toEqual([]);
				}
				await Promise.all(views.map(({ spec }) => instance.ready(spec)));
				// at once: views that are not watched are dropped after a while
				const states = views.map(({ spec, where }) => ({ where, state: instance.state(spec) }));
				for (const { where, state } of states) {
					const { totals, tables } = state;
					expect({ totals, tables, events: state.events.map(({ id }) => id) }, where).toEqual(
						await count(sql, where, state.at),
					);
				}
			},
		),
		{ numRuns: CASES, endOnFailure: true },
	);
	expect(all).toBeGreaterThan(0);
});

/** Three German page views of one session in three minutes, one French; everything's state, and the German view's. */
async function showGermans() {
	const { url, sql } = await useDatabase();
	const instance = await startTestInstance(url);
	const row = { name: 'page_view', source: 'web', session: 's1', path: '/a', times: 1 };
	const more = { amount: null, paid: null, referrer: null, country: 'DE' };
	for (const age of [10, 70, 130]) await insert(sql, { ...row, ...more, age } as Row);
	await insert(sql, { ...row, ...more, country: 'FR', session: 's2', age: 10 } as Row);
	await expect.poll(() => instance.state().totals.eventsCount, { timeout: 60_000 }).toBe(4);
	const { spec, where } = toView(['country:DE']);
	await instance.ready(spec);
	const german = instance.state(spec);
	return { all: instance.state(), german, expected: await count(sql, where, german.at) };
}

test('(control) a filter on the feed alone differs from SQL', async () => {
	const { all, german, expected } = await showGermans();
	expect([german.totals, german.events.length]).toEqual([expected.totals, 3]);
	expect({ ...german, totals: all.totals }.totals).not.toEqual(expected.totals);
});

test('(control) sessions summed over minutes differ from SQL', async () => {
	const { german, expected } = await showGermans();
	const summed = german.series.minutes.reduce((sum, { sessions }) => sum + sessions, 0);
	expect(german.totals.activeSessions).toBe(expected.totals.activeSessions);
	expect(summed).not.toBe(expected.totals.activeSessions);
});
