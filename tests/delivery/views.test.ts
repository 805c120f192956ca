/**
 * The oracle of live queries: every view equals SQL over the table at the view's own time, whatever was inserted, late,
 * early, doubled, rolled back, deleted or with odd values. VIEW_CASES sets the number of cases, of 25 views each.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from '../setup/fast-check';
import { expect, test } from 'vitest';
import type { Dimension } from '../../src/lib/dimensions';
import { parseFilter } from '../../src/lib/filter';
import type { Sql } from '../../src/lib/server/db/connect';
import { TABLE_LENGTH, type DashboardState, type Json } from '../../src/lib/protocol';
import type { ViewSpec } from '../../src/lib/server/live/views';
import { startTestInstance, useDatabase } from '../setup/instances';

const CASES = Number(process.env.VIEW_CASES ?? 12);
const VIEWS_PER_CASE = 25;

/** Clauses, each with what it means in SQL, written by hand. */
const CLAUSES: Readonly<Record<string, string>> = {
	'name:page_view': `name = 'page_view'`,
	'-name:page_view': `name <> 'page_view'`,
	'name^sign': `name like 'sign%'`,
	'source:shop': `source = 'shop'`,
	'path:/a': `properties ->> 'path' = '/a'`,
	'-path:/a': `properties ->> 'path' is distinct from '/a'`,
	'path~b': `properties ->> 'path' like '%b%'`,
	'path:': `jsonb_typeof(properties -> 'path') is distinct from 'string'`,
	'country:DE': `context ->> 'country' = 'DE'`,
	'country:AT': `context ->> 'country' = 'AT'`,
	'-country:': `context ->> 'country' is not null`,
	'session:s1': `session_id = 's1'`,
	'props.amount>=10': `case when jsonb_typeof(properties -> 'amount') = 'number' then (properties ->> 'amount')::float8 >= 10 else false end`,
	'-props.amount<2.5': `case when jsonb_typeof(properties -> 'amount') = 'number' then (properties ->> 'amount')::float8 >= 2.5 else true end`,
	'props.paid:true': `properties ->> 'paid' = 'true'`,
	'referrer:x.test': `properties ->> 'referrer' in ('https://www.x.test/a', 'http://X.test:8080/')`,
};
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

const value = <T>(...values: T[]) => fc.constantFrom(...values);
const rows = fc.array(
	fc.record({
		name: value('page_view', 'page_view', 'signup', 'order'),
		source: value('web', 'shop'),
		session: value(null, 's1', 's2', 's3'),
		path: value<Json>(null, '/a', '/b', '/a/b', 7, false),
		amount: value<Json>(null, 1, 2.5, 10, 1e3, -4, 1e-7, true, 'ten', '', [1]),
		paid: value(null, true, false),
		referrer: value(null, 'https://www.x.test/a', 'http://X.test:8080/', 'https://y.test'),
		country: value(null, 'DE', 'AT', 'FR'),
		times: value(1, 1, 1, 2),
		/** seconds before now; a negative one is in the future */
		age: value(0, 1, 59, 61, 240, 299, 301, 1_500, 1_799, 1_801, 7_200, -3_600),
	}),
	{ minLength: 1, maxLength: 40 },
);
const filters = fc.array(fc.uniqueArray(value(...Object.keys(CLAUSES)), { maxLength: 4 }), {
	minLength: VIEWS_PER_CASE,
	maxLength: VIEWS_PER_CASE,
});
type Row = typeof rows extends fc.Arbitrary<(infer R)[]> ? R : never;

function toView(clauses: readonly string[]): { spec: ViewSpec; where: string } {
	const parsed = parseFilter(clauses);
	if (!parsed.ok) throw new Error(parsed.error);
	// `:` clauses of one dimension are alternatives
	const groups = new Map<string, string[]>();
	for (const one of clauses) {
		const key = /^[a-z._]+:/.exec(one)?.[0] ?? one;
		groups.set(key, [...(groups.get(key) ?? []), one]);
	}
	const where = [...groups.values()].map(
		(group) => `(${group.map((one) => `(${CLAUSES[one]})`).join(' or ')})`,
	);
	return {
		spec: { filter: parsed.filter, by: Object.keys(BY) as Dimension[] },
		where: where.join(' and ') || 'true',
	};
}

const insert = (sql: Sql, row: Row) => {
	const { path, amount, paid, referrer, country } = row;
	const eventId = crypto.randomUUID();
	const properties = Object.fromEntries(
		Object.entries({ path, amount, paid, referrer }).filter(([, one]) => one !== null),
	);
	return sql`insert into nowboard.events (event_id, name, source, session_id, properties, context, created_at)
		select ${eventId}::uuid, ${row.name}, ${row.source}, ${row.session}, ${JSON.stringify(properties)}::text::jsonb,
			${country === null ? null : JSON.stringify({ country })}::text::jsonb,
			now() - ${row.age}::float8 * interval '1 second'
		from generate_series(1, ${row.times}::int) on conflict (event_id) do nothing`;
};

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
