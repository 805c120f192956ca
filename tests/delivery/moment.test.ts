/**
 * The page at a moment equals SQL over the table at that time, under any filter, also for late rows and at the borders of
 * windows. MOMENT_EVENTS sets the number of events (5,000 sessions for 100,000).
 */
import { setMaxListeners } from 'node:events';
import pino from 'pino';
import { expect, test } from 'vitest';
import { parseFilter } from '../../src/lib/filter';
import { FEED_LENGTH, TABLE_LENGTH, type Moment } from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import { RECENT_EVENTS } from '../../src/lib/server/live/state';
import { recordTick } from '../../src/lib/server/live/tick';
import { BeforeDataError, readMoment } from '../../src/lib/server/moment/read-moment';
import { createMoments, MOST_WAITING } from '../../src/lib/server/moment/moments';
import { startTestInstance, useDatabase } from '../setup/instances';

const EVENTS = Number(process.env.MOMENT_EVENTS ?? 4_000);
const SESSIONS = Math.ceil(EVENTS / 20);
const MINUTE_MS = 60_000;
const log = pino({ level: 'silent' });

/** Clauses, and what they mean in SQL, written by hand. */
const VIEWS: readonly (readonly [clauses: string[], where: string])[] = [
	[[], 'true'],
	[['country:DE', 'country:AT'], `context ->> 'country' in ('DE', 'AT')`],
	[['path^/b', '-name:signup'], `properties ->> 'path' like '/b%' and name <> 'signup'`],
	[['props.amount>=3'], `jsonb_typeof(properties -> 'amount') = 'number' and (properties ->> 'amount')::float8 >= 3`],
	[['session:s 7'], `session_id = 's 7'`],
	[['path:/none'], 'false'],
]; // prettier-ignore
const BY = {
	path: `properties ->> 'path'`,
	name: 'name',
	country: `coalesce(context ->> 'country', '')`,
};

/** 90 minutes of events until `now`, some without a session, page or country; some at the same millisecond. */
const insert = (sql: Sql, now: number) => sql`
	insert into nowboard.events (name, source, session_id, properties, context, created_at)
	select (array['page_view', 'page_view', 'order', 'signup'])[1 + i % 4], 'web',
		case when i % 11 > 0 then 's ' || (i * 7919) % ${SESSIONS}::int end,
		jsonb_build_object('path', (array['/', '/b', '/b/c'])[1 + i % 3], 'amount', i % 7),
		case when i % 13 > 0 then jsonb_build_object('country', (array['DE', 'AT', 'FR', 'IT'])[1 + i % 4]) end,
		to_timestamp(${now / 1000}::float8) - (((i::int8 * 104729) % ${90 * MINUTE_MS}::int) / 10 * 10) * interval '1 ms'
	from generate_series(1, ${EVENTS}::int) i`;

/** Every figure of a moment, by SQL alone. @param at ms @param slip moves the window: the negative control */
async function fromSql(sql: Sql, where: string, at: number, slip = 0) {
	const time = (ms: number) => `to_timestamp(${ms}::float8 / 1000)`;
	const within = (ms: number) =>
		`created_at > ${time(at - ms + slip)} and created_at <= ${time(at)}`;
	const rows = `from nowboard.events where (${where}) and ${within(30 * MINUTE_MS)}`;
	const [totals] = await sql.unsafe(`
		select count(*) filter (where name = 'page_view')::int as "pageViews",
			count(distinct session_id) filter (where ${within(5 * MINUTE_MS)})::int as "activeSessions",
			count(*)::int as "eventsCount", count(*) filter (where ${within(MINUTE_MS)})::int as "eventsPerMinute" ${rows}`);
	const series = async (step: number) =>
		sql.unsafe(`
			select b.at::float8, count(e.id)::int as events, count(*) filter (where name = 'page_view')::int as "pageViews",
				count(distinct session_id)::int as sessions
			from (select (${Math.floor(at / step)} - i) * ${step}::int8 as at from generate_series(0, 29) i) b
			left join nowboard.events e on (${where}) and created_at >= to_timestamp(b.at::float8 / 1000)
				and created_at < to_timestamp((b.at + ${step})::float8 / 1000) and created_at <= ${time(at)}
			group by 1 order by 1`);
	const tables: { [dimension: string]: unknown } = {};
	for (const [dimension, value] of Object.entries(BY)) {
		const only = dimension === 'path' ? `and name = 'page_view'` : '';
		const all = await sql.unsafe<{ key: string; count: number }[]>(
			`select * from (select ${value} as key, count(*)::int as count ${rows} ${only} group by 1) as counted
				order by count desc, key collate "C"`,
		);
		const shown = all.slice(0, TABLE_LENGTH);
		const other = all.slice(TABLE_LENGTH).reduce((sum, { count }) => sum + count, 0);
		tables[dimension] = { rows: [...shown], other };
	}
	const ids = await sql.unsafe<{ id: string }[]>(
		`select id from (
			select * from nowboard.events where created_at <= ${time(at)}
			order by created_at desc, id desc limit ${RECENT_EVENTS}
		) recent where (${where}) order by created_at desc, id desc limit ${FEED_LENGTH}`,
	);
	return {
		...{ totals, tables, ids: ids.map(({ id }) => Number(id)) },
		series: { minutes: [...(await series(MINUTE_MS))], seconds: [...(await series(2_000))] },
	};
}
const shownBy = ({ totals, tables, series, events }: Moment) => ({
	...{ totals, tables, series, ids: events.map(({ id }) => id) },
});

test('every figure of a moment is what SQL counts, under a filter too, and late rows count where they belong', async () => {
	const { sql, url } = await useDatabase();
	const [{ now }] = await sql<
		[{ now: number }]
	>`select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now`;
	await insert(sql, now);
	await sql`analyze nowboard.events`;
	const by = Object.keys(BY) as (keyof typeof BY)[];
	const read = (clauses: string[], at: number) => {
		const parsed = parseFilter(clauses);
		if (!parsed.ok) throw new Error(parsed.error);
		return readMoment(sql, { filter: parsed.filter, by, at });
	};
	const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
	// at a minute's first and last millisecond, in its middle, now, and half an hour ago
	for (const at of [
		now,
		minute - 7 * MINUTE_MS,
		minute - 7 * MINUTE_MS - 1,
		now - 30 * MINUTE_MS - 123,
	])
		for (const [clauses, where] of VIEWS)
			expect(shownBy(await read(clauses, at)), `${clauses.join()} at ${at}`).toEqual(
				await fromSql(sql, where, at),
			);
	// (control) a window that is a minute shorter shows something else
	const slipped = await fromSql(sql, 'true', now, MINUTE_MS);
	expect(shownBy(await read([], now)).totals).not.toEqual(slipped.totals);

	// a row that arrives late belongs to the time at which it was created
	const at = now - 10 * MINUTE_MS;
	const before = await read([], at);
	await sql`insert into nowboard.events (name, created_at) values ('late', ${new Date(at)}), ('later', ${new Date(at + 1)})`;
	const after = await read([], at);
	expect(after.totals.eventsCount).toBe(before.totals.eventsCount + 1);
	expect(after.events[0]?.name).toBe('late');
	await expect(read([], now - 91 * MINUTE_MS)).rejects.toThrow(BeforeDataError);

	// as the live page has it at the same time
	const instance = await startTestInstance(url);
	await instance.ready({ filter: [], by });
	const state = instance.state({ filter: [], by });
	const live = await read([], Date.parse(state.at));
	expect(live.totals).toEqual(state.totals);
	expect(live.series.minutes).toEqual(state.series.minutes);
});

test('people of a moment are what the tick recorded, and unknown under a filter or where there is none', async () => {
	const { sql } = await useDatabase();
	const at = Date.UTC(2026, 2, 1, 12);
	await sql`insert into nowboard.events (name, created_at) values ('a', ${new Date(at - 5 * MINUTE_MS)})`;
	const totals = { pageViews: 0, activeSessions: 0, eventsCount: 0, eventsPerMinute: 0 };
	const table = { rows: [{ key: '/', count: 3 }], other: 0 };
	const people = { active: 2, idle: 1, pages: table, referrers: table };
	await recordTick(sql, { totals, at: at - MINUTE_MS, cursor: 'e-1', people });
	const read = (at: number, source?: string) =>
		readMoment(sql, {
			filter: source ? [{ dimension: 'source', operator: ':', value: source, negated: false }] : [],
			by: [],
			at,
		});
	expect((await read(at)).people).toEqual(people);
	expect((await read(at)).peopleMinutes).toEqual([{ at: at - MINUTE_MS, active: 2, idle: 1 }]);
	expect((await read(at, 'sql')).people).toBe('unknown');
	expect((await read(at, 'sql')).peopleMinutes).toBeNull();
	expect((await read(at + 2 * MINUTE_MS)).people).toBe('unknown');
});

test('clients share a reading, one that all have left is cancelled in Postgres, and too many are refused', async () => {
	const { sql } = await useDatabase();
	const asked: number[] = [];
	const moments = createMoments({
		sql,
		log,
		read: async (sql, { at }, signal) => {
			asked.push(at);
			const query = sql`select pg_sleep(600)`;
			signal?.addEventListener('abort', () => query.cancel());
			await query;
			return {} as Moment;
		},
	});
	const read = (at: number, signal: AbortSignal) =>
		moments.read({ filter: [], by: [], at }, signal);
	const running = () =>
		sql`select from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active'`;
	const clients = [new AbortController(), new AbortController()];
	const both = clients.map(({ signal }) => read(1, signal).catch((error: Error) => error.name));
	await expect.poll(running, { timeout: 60_000 }).toHaveLength(1);
	clients[0]?.abort();
	expect(await both[0]).toBe('AbortError');
	expect(await running()).toHaveLength(1);
	clients[1]?.abort();
	expect(await both[1]).toBe('AbortError');
	await expect.poll(running, { timeout: 60_000 }).toHaveLength(0);
	expect(asked).toEqual([1]);

	const leaving = new AbortController();
	setMaxListeners(0, leaving.signal);
	const many = Array.from({ length: MOST_WAITING + 2 }, (_, i) =>
		read(10 + i, leaving.signal).catch((error: Error) => error.name),
	);
	await expect(read(99, leaving.signal)).rejects.toThrow('being read');
	// one that has not begun could not be cancelled
	await expect.poll(running, { timeout: 60_000 }).toHaveLength(2);
	leaving.abort();
	expect(new Set(await Promise.all(many))).toEqual(new Set(['AbortError']));
	await expect.poll(running, { timeout: 60_000 }).toHaveLength(0);
});
