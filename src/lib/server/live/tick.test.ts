import { expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { withTickPeople } from '../../presence';
import { TICK_MS } from '../../protocol';
import type { Sql } from '../db/connect';
import { thinTicks } from '../history/downsample';
import { readPeopleMinutes, readPrevious, recordTick } from './tick';

const totals = { pageViews: 1, activeSessions: 2, eventsCount: 3, eventsPerMinute: 4 };
const at = Date.UTC(2026, 0, 1, 12);

test('the first instance records the tick; the other gets that row', async () => {
	const { sql } = await useDatabase();
	const [one, two] = await Promise.all(
		[1, 2].map((pageViews) =>
			recordTick(sql, { totals: { ...totals, pageViews }, at: at + pageViews, cursor: 'e-1' }),
		),
	);
	expect(one).toEqual(two);
});

test('the figures of half an hour before are the newest tick by then, if there is one', async () => {
	const { sql } = await useDatabase();
	const before = at - 30 * 60_000;
	for (const [time, pageViews] of [
		[before - 100_000, 1],
		[before - 50_000, 2],
		[before - 10_000, 3],
		[before + TICK_MS, 4],
	] as const)
		await recordTick(sql, { totals: { ...totals, pageViews }, at: time, cursor: 'e-1' });
	expect((await readPrevious(sql, at))?.pageViews).toBe(3);
	expect(await readPrevious(sql, at + 60 * 60_000)).toBeNull();
});

test('the last tick of each minute says who was here; what recorded no people says nothing', async () => {
	const { sql } = await useDatabase();
	const table = { rows: [], other: 0 };
	const toPeople = (active: number) => ({ active, idle: 1, pages: table, referrers: table });
	const minute = 60_000;
	for (const [time, people] of [
		[at - 31 * minute, toPeople(9)],
		[at - 3 * minute, toPeople(1)],
		[at - 3 * minute + TICK_MS, toPeople(2)],
		[at - minute, null],
		[at, toPeople(3)],
		[at + TICK_MS, toPeople(4)],
	] as const)
		await recordTick(sql, { totals, at: time, cursor: 'e-1', people });
	// whatever SQL writes there must not stop a process
	await sql`update nowboard.metrics_snapshots set people = '{"active":"many"}' where people is null`;
	const points = [
		{ at: at - 3 * minute, active: 2, idle: 1 },
		{ at, active: 3, idle: 1 },
	];
	expect(await readPeopleMinutes(sql, at)).toEqual(points);
	const { tick } = await recordTick(sql, { totals, at: at + TICK_MS, cursor: 'e-1' });
	expect(withTickPeople(points, tick)).toEqual([points[0], { at, active: 4, idle: 1 }]);
});

test('old ticks are thinned: all of two hours, one a minute for a week, then one an hour', async () => {
	const { sql } = await useDatabase();
	await sql`
		insert into nowboard.metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		select floor(extract(epoch from t) / 2), 0, 0, 0, 0, date_trunc('milliseconds', t), 'x'
		from (
			select date_trunc('hour', clock_timestamp()) - age - i * '10 s'::interval as t
			from (values ('0 s'::interval), ('3 hours'), ('10 days')) ages (age), generate_series(1, 360) i
		) times`;
	const ages = async (sql: Sql) =>
		(
			await sql<{ hours: number; ticks: number }[]>`
				select round(extract(epoch from clock_timestamp() - recorded_at) / 36000)::int as hours, count(*)::int as ticks
				from nowboard.metrics_snapshots group by 1 order by 1`
		).map(({ ticks }) => ticks);
	expect((await ages(sql)).reduce((sum, ticks) => sum + ticks)).toBe(3 * 360);
	expect(await thinTicks(sql)).toBe(2 * 360 - 60 - 1);
	expect((await ages(sql)).reduce((sum, ticks) => sum + ticks)).toBe(360 + 60 + 1);
	expect(await thinTicks(sql)).toBe(0);
});

test('one instance thins at a time', async () => {
	const { sql } = await useDatabase();
	await sql`
		insert into nowboard.metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		select i, 0, 0, 0, 0, '2020-01-01', 'x' from generate_series(1, 20) i`;
	const held = await sql.reserve();
	await held`select pg_advisory_lock(7206871103)`;
	expect(await thinTicks(sql)).toBe(0);
	await held`select pg_advisory_unlock(7206871103)`;
	held.release();
	expect(await thinTicks(sql)).toBe(19);
});
