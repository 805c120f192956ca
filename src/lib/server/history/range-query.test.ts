/** A range of history is what SQL counts in the viewer's own hours and days; what is not known is no zero. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import type { HistoryRange } from '../../history';
import type { Sql } from '../db/connect';
import { readHistory, type RangeSums } from './range-query';
import { countAll } from './rollup';

const HOUR_MS = 3_600_000;
/** After both clocks were changed: Berlin's on 25 October, New York's on 1 November 2026. */
const AT = Date.parse('2026-11-20T10:07:30Z');

/** An event every `everyS` seconds from `from` until AT; every third is a page view. */
const insert = (sql: Sql, from: string, everyS: number, source = 'web') =>
	sql`insert into nowboard.events (name, source, created_at)
		select case when row_number() over () % 3 = 0 then 'page_view' else 'click' end, ${source}, at
		from generate_series(${from}::timestamptz, ${new Date(AT)}::timestamptz, ${`${everyS} s`}::interval) at`;
/** Minutes are kept for days only, as the clock of the database has it: here they are made from the events of AT's day. */
const insertMinutes = (sql: Sql) => sql`
	insert into nowboard.rollups (step, source, start, events, page_views)
	select 60, one.source, date_trunc('minute', created_at), count(*), count(*) filter (where name = 'page_view')
	from nowboard.events, lateral (values (''), (events.source)) as one(source)
	where created_at > ${new Date(AT)}::timestamptz - interval '3 days'
	group by 1, 2, 3 on conflict do nothing`;
const read = (sql: Sql, range: HistoryRange, zone = 'UTC', source: string | null = null, at = AT) =>
	readHistory(sql, { range, source, zone, at });
/** What the table says of these buckets. */
async function fromEvents(sql: Sql, { points, to }: RangeSums, source: string | null = null) {
	const counts = await sql<{ events: number; views: number }[]>`
		select count(events.id)::int as events, (count(*) filter (where name = 'page_view'))::int as views
		from (select begin, lead(begin, 1, ${to}::timestamptz) over (order by begin) as until
			from jsonb_array_elements_text(${sql.json(points.map(({ at }) => at))}) as text, lateral (select text::timestamptz as begin) b) bucket
		left join nowboard.events on created_at >= begin and created_at < until and (${source}::text is null or source = ${source})
		group by begin order by begin`;
	return counts.map(({ events, views }) => [events, views]);
}
const figures = ({ points }: RangeSums) =>
	points.map((point) => [point.eventsCount, point.pageViews]);

describe('every bucket is what SQL counts', () => {
	test.each([
		['30min', 'UTC', 30, 60_000],
		['24h', 'Europe/Berlin', 96, 15 * 60_000],
		['7d', 'Asia/Kathmandu', 168, HOUR_MS],
		['90d', 'Europe/Berlin', 90, null],
		['90d', 'America/New_York', 90, null],
		['90d', 'Asia/Kathmandu', 90, null],
	] as const)('%s in %s', async (range, zone, buckets, lengthMs) => {
		const { sql } = await useDatabase();
		// as far back as the period before the range, and a little more
		await (range === '90d' ? insert(sql, '2026-05-01', 907) : insert(sql, '2026-11-05', 53));
		await insert(sql, '2026-11-18', 301, 'shop');
		await countAll(sql);
		await insertMinutes(sql);
		for (const source of [null, 'shop']) {
			const history = await read(sql, range, zone, source);
			expect(history.points).toHaveLength(buckets);
			expect(figures(history)).toEqual(await fromEvents(sql, history, source));
			const sum = history.points.reduce((all, { eventsCount }) => all + (eventsCount ?? 0), 0);
			expect(history.totals.eventsCount).toBe(sum);
			const begins = [...history.points.map(({ at }) => at), history.to].map(Date.parse);
			if (lengthMs)
				expect(new Set(begins.slice(1).map((at, i) => at - (begins[i] as number)))).toEqual(
					new Set([lengthMs]),
				);
		}
	});

	test('a day is that of the zone, 25 hours long when the clocks go back; the period before is as many days', async () => {
		const { sql } = await useDatabase();
		await insert(sql, '2026-03-01', 3_600);
		await countAll(sql);
		const { points, previous, from } = await read(sql, '90d', 'Europe/Berlin');
		const counts = new Map(points.map(({ at, eventsCount }) => [at, eventsCount]));
		expect(counts.get('2026-10-23T22:00:00.000Z')).toBe(24);
		expect(counts.get('2026-10-24T22:00:00.000Z')).toBe(25);
		expect(counts.get('2026-10-25T23:00:00.000Z')).toBe(24);
		expect([from, previous.length, previous[0]?.at]).toEqual([
			'2026-08-22T22:00:00.000Z',
			90,
			'2026-05-24T22:00:00.000Z',
		]);
	});
});

describe('what is not known', () => {
	test('before history begins there is a gap, and nothing to compare with', async () => {
		const { sql } = await useDatabase();
		await insert(sql, '2026-11-18T09:20:00Z', 60);
		await countAll(sql);
		const history = await read(sql, '7d');
		const first = history.points.findIndex(({ eventsCount }) => eventsCount !== null);
		expect(history.points[first]?.at).toBe('2026-11-18T09:00:00.000Z');
		expect(history.points.slice(0, first).every(({ eventsCount }) => eventsCount === null)).toBe(
			true,
		);
		expect([history.begins, history.previousTotals]).toEqual(['2026-11-18T09:15:00.000Z', null]);
	});

	test('an hour in which nothing ran is a gap, one in which nothing came is a zero', async () => {
		const { sql } = await useDatabase();
		await insert(sql, '2026-11-20T09:00:00Z', 60);
		await sql`insert into nowboard.events (name, created_at) values ('x', '2026-11-20 05:30Z')`;
		// it ran, and nothing came: a tick a minute
		await sql`insert into nowboard.metrics_snapshots (tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
			select extract(epoch from at) / 2, 0, 7, 0, 0, at, 'e-1' from generate_series('2026-11-20 06:00Z'::timestamptz, '2026-11-20 06:59Z', '1 minute') at`;
		await countAll(sql);
		const { points, totals } = await read(sql, '7d');
		expect(points.slice(-6).map((point) => [point.eventsCount, point.activeSessions])).toEqual([
			[1, null],
			[0, 7],
			[null, null],
			[null, null],
			[60, null],
			[8, null],
		]);
		expect(totals).toEqual({ eventsCount: 69, pageViews: 22, activeSessions: 7 });
	});

	test('nothing at all: every figure is a gap', async () => {
		const { sql } = await useDatabase();
		const history = await read(sql, '24h');
		expect(history.totals).toEqual({ eventsCount: null, pageViews: null, activeSessions: null });
		expect([history.begins, history.points.length, figures(history)[0]]).toEqual([
			null,
			96,
			[null, null],
		]);
	});

	test('a source without sums of its own, and the sessions of one that has', async () => {
		const { sql } = await useDatabase();
		await insert(sql, '2026-11-20T09:00:00Z', 60);
		await sql`insert into nowboard.metrics_snapshots (tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
			select extract(epoch from at) / 2, 0, 7, 0, 0, at, 'e-1' from (select ${new Date(AT)}::timestamptz as at) now`;
		await countAll(sql);
		const [own, none] = [
			await read(sql, '7d', 'UTC', 'web'),
			await read(sql, '7d', 'UTC', 'unheard'),
		];
		expect([own.kept, own.totals]).toEqual([
			true,
			{ eventsCount: 68, pageViews: 22, activeSessions: null },
		]);
		expect([none.kept, none.totals.eventsCount, none.points.at(-1)?.eventsCount]).toEqual([
			false,
			null,
			null,
		]);
	});
});

test('the period before is compared as far as the present one has come', async () => {
	const { sql } = await useDatabase();
	await insert(sql, '2026-01-01', 3_600);
	await countAll(sql);
	const { totals, previousTotals, from, at } = await read(sql, '90d');
	const hours = (Date.parse(at) - Date.parse(from)) / HOUR_MS;
	expect(totals.eventsCount).toBe(Math.floor(hours) + 1);
	// control: whole days before against a day that has just begun
	expect(previousTotals?.eventsCount).toBe(totals.eventsCount);
	const [whole] = await sql`select count(*)::int as events from nowboard.events
		where created_at < ${from} and created_at >= ${from}::timestamptz - interval '90 days'`;
	expect(whole?.events).toBeGreaterThan(totals.eventsCount ?? 0);
});

test('a zone that is none is refused by name', async () => {
	const { sql } = await useDatabase();
	await expect(read(sql, '7d', 'Mars/Olympus')).rejects.toThrow(
		'zone is "Mars/Olympus": it must be an IANA time zone, such as Europe/Berlin.',
	);
});
