/** The sums are those of the table: whatever commits late, is dated back, or is counted by several instances at once. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { connect, type Sql } from '../db/connect';
import { countAll, countNext, dropMinutes, MAX_SOURCES, toRollups, uncount } from './rollup';
import { recordTick } from '../live/tick';

const MINUTE_MS = 60_000;

function useClient(url: string): Sql {
	const sql = connect(url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	return sql;
}

const text = (rows: Iterable<object | undefined>) =>
	[...rows].map((row) => Object.values(row ?? {}).join(' ')).join('\n');

/** What the quarters say, and what the table says: as text, to be compared. */
const sums = async (sql: Sql) =>
	text(
		await sql`select source, extract(epoch from start)::bigint as start, events, page_views from nowboard.rollups
			where step = 900 and events > 0 order by source, start`,
	);
const counted = async (sql: Sql) =>
	text(
		await sql`
			select one.source, extract(epoch from date_bin('15 minutes', created_at, 'epoch'))::bigint as start,
				count(*) as events, count(*) filter (where name = 'page_view') as page_views
			from nowboard.events, lateral (values (''), (events.source)) as one(source)
			group by 1, 2 order by 1, 2`,
	);

test('minutes become minutes and quarters, of all and of the sources that have their own', () => {
	const minutes = [
		{ source: 'a', start: 14 * MINUTE_MS, events: 2, pageViews: 1 },
		{ source: 'b', start: 14 * MINUTE_MS, events: 3, pageViews: 0 },
		{ source: 'a', start: 15 * MINUTE_MS, events: 5, pageViews: 5 },
	];
	const found = toRollups(minutes, ['a'], 15 * MINUTE_MS);
	expect(
		found.map(({ step, source, start, events }) => [step, source, start / MINUTE_MS, events]),
	).toEqual([
		[900, '', 0, 5],
		[900, 'a', 0, 2],
		[60, '', 15, 5],
		[60, 'a', 15, 5],
		[900, '', 15, 5],
		[900, 'a', 15, 5],
	]);
});

test('a sum is what SQL counts, to the quarter and the minute, by source', async () => {
	const { sql } = await useDatabase();
	await sql`
		insert into nowboard.events (name, source, created_at)
		select case when i % 3 = 0 then 'page_view' else 'click' end, 's' || i % 4, clock_timestamp() - i * interval '7 seconds'
		from generate_series(1, 3000) i`;
	await countAll(sql);
	expect(await sums(sql)).toBe(await counted(sql));
	const minutes = await sql`
		select sum(events)::int as events, sum(page_views)::int as views from nowboard.rollups where step = 60 and source = ''`;
	expect([...minutes]).toEqual([{ events: 3000, views: 1000 }]);
	// dated back, and into another year: a sum that is there grows
	await sql`insert into nowboard.events (name, source, created_at) values ('late', 's1', clock_timestamp() - interval '3 hours'),
		('import', 's1', '2019-05-05 12:00Z'), ('old', 's1', '0044-03-15 12:00Z')`;
	await countAll(sql);
	await sql`delete from nowboard.events where name = 'old'`;
	expect(await sums(sql)).toBe(await counted(sql));
});

describe('writers that commit late, and several instances that count at once', () => {
	async function write(url: string, writers: number, rows: number) {
		await Promise.all(
			Array.from({ length: writers }, async (_, i) => {
				const sql = useClient(url);
				for (let n = 0; n < rows; n++)
					await sql
						.begin(async (tx) => {
							await tx`insert into nowboard.events (name, source) values ('page_view', ${`w${i}`})`;
							await tx`select pg_sleep(${((i * 7 + n * 3) % 10) / 200})`;
							if ((i + n) % 5 === 0) throw new Error('rolled back');
						})
						.catch((error: Error) => {
							if (error.message !== 'rolled back') throw error;
						});
			}),
		);
	}

	test('each event is counted once', async () => {
		const { url, sql } = await useDatabase();
		let writing = true;
		const counters = [useClient(url), useClient(url), useClient(url)].map(async (one) => {
			while (writing) await countNext(one, 5);
		});
		await write(url, 8, 25);
		writing = false;
		await Promise.all(counters);
		await countAll(sql);
		expect(await sums(sql)).toBe(await counted(sql));
		const [row] = await sql`select count(*)::int as rows from nowboard.events`;
		expect(row?.rows).toBe(160);
	}, 300_000);

	test('(control) counted by time of creation, one that commits late never is', async () => {
		const { url, sql } = await useDatabase();
		let since = new Date(0);
		const countNewer = async () => {
			const [row] =
				await sql`select count(*)::int as rows, max(created_at) as until from nowboard.events
				where created_at > ${since}`;
			since = row?.until ?? since;
			return row?.rows as number;
		};
		const late = useClient(url);
		await late`begin`;
		await late`insert into nowboard.events (name) values ('late')`;
		await sql`insert into nowboard.events (name) values ('early')`;
		expect(await countNewer()).toBe(1);
		await late`commit`;
		expect(await countNewer()).toBe(0);
	});

	test('a long transaction delays no other, and is counted when it commits', async () => {
		const { url, sql } = await useDatabase();
		const [held, undone] = [useClient(url), useClient(url)];
		for (const one of [held, undone]) {
			await one`begin`;
			await one`insert into nowboard.events (name) values ('held')`;
		}
		await sql`insert into nowboard.events (name) select 'passed by' from generate_series(1, 3)`;
		await countAll(sql);
		expect(await sums(sql)).toBe(await counted(sql));
		await countAll(sql);
		await held`commit`;
		await undone`rollback`;
		await countAll(sql);
		expect(await sums(sql)).toBe(await counted(sql));
		const [row] =
			await sql`select (sum(events))::int as events from nowboard.rollups where step = 900 and source = ''`;
		expect(row).toEqual({ events: 4 });
	});

	test('a process that dies in the middle has counted nothing', async () => {
		const { url, sql } = await useDatabase();
		await sql`insert into nowboard.events (name) select 'x' from generate_series(1, 10)`;
		const dying = connect(url, { max: 1 });
		// the last statement of the counting fails
		await sql`alter table nowboard.rollup_state add constraint broken check (tick = -1) not valid`;
		await expect(countNext(dying)).rejects.toThrow(/broken/);
		await dying.end({ timeout: 0 });
		expect(await sums(sql)).toBe('');
		await sql`alter table nowboard.rollup_state drop constraint broken`;
		await countAll(sql);
		expect(await sums(sql)).toBe(await counted(sql));
	});
});

test('in chunks, also when one transaction is larger than a chunk', async () => {
	const { sql } = await useDatabase();
	for (const rows of [3, 50, 4])
		await sql`insert into nowboard.events (name) select 'x' from generate_series(1, ${rows}::int)`;
	await expect.poll(async () => (await countNext(sql, 5))?.more).toBe(false);
	await countAll(sql);
	expect(await sums(sql)).toBe(await counted(sql));
});

test('the highest of the ticks, and a minute without events that was watched', async () => {
	const { sql } = await useDatabase();
	const at = Math.floor(Date.now() / (15 * MINUTE_MS)) * 15 * MINUTE_MS - 30 * MINUTE_MS;
	const tick = (offset: number, activeSessions: number) =>
		recordTick(sql, {
			totals: { pageViews: 0, activeSessions, eventsCount: 0, eventsPerMinute: 0 },
			at: at + offset,
			cursor: 'e-1',
		});
	await tick(0, 3);
	await tick(20_000, 9);
	await tick(MINUTE_MS, 4);
	await countAll(sql);
	// another instance's, a little late
	await tick(MINUTE_MS - 2_000, 12);
	await countAll(sql);
	expect([
		...(await sql`select step, (extract(epoch from start) * 1000 - ${at})::int as start, source, events, peak_sessions as peak
			from nowboard.rollups order by step, start`),
	]).toEqual([
		{ step: 60, start: 0, source: '', events: 0, peak: 12 },
		{ step: 60, start: MINUTE_MS, source: '', events: 0, peak: 4 },
		{ step: 900, start: 0, source: '', events: 0, peak: 12 },
	]);
});

test('a figure that is held over a whole minute was watched; over a longer silence nothing was', async () => {
	const { sql } = await useDatabase();
	const at = Math.floor(Date.now() / (15 * MINUTE_MS)) * 15 * MINUTE_MS - 30 * MINUTE_MS;
	for (const second of [0, 59.9, 121.8, 183, 400])
		await recordTick(sql, {
			totals: { pageViews: 0, activeSessions: 5, eventsCount: 0, eventsPerMinute: 0 },
			at: at + second * 1_000,
			cursor: 'e-1',
		});
	await countAll(sql);
	const minutes =
		await sql`select ((extract(epoch from start) * 1000 - ${at}) / 60000)::int as minute
		from nowboard.rollups where step = 60 order by 1`;
	// control: of its own no tick lies in minute 1
	expect(minutes.map(({ minute }) => minute as number)).toEqual([0, 1, 2, 3, 6]);
});

test('the first hundred sources have sums of their own, all together those of all', async () => {
	const { sql } = await useDatabase();
	for (const [from, to] of [
		[1, 60],
		[61, 200],
	] as const)
		await sql`insert into nowboard.events (name, source) select 'x', 'source "' || i || '\\' from generate_series(${from}::int, ${to}::int) i`;
	await countAll(sql);
	const [row] = await sql`select count(distinct source)::int as sources,
		(sum(events) filter (where source = ''))::int as events from nowboard.rollups where step = 900`;
	expect(row).toEqual({ sources: 1 + MAX_SOURCES, events: 200 });
});

test('a dump from a cluster that was further on: what it brought stays counted, what comes is counted', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name) select 'x' from generate_series(1, 7)`;
	await countAll(sql);
	await sql`update nowboard.rollup_state set position = (position::text::bigint + 1000000)::text::xid8`;
	await countAll(sql);
	await sql`insert into nowboard.events (name) select 'new' from generate_series(1, 5)`;
	await countAll(sql);
	expect(await sums(sql)).toBe(await counted(sql));
});

test('what should never have been is taken out again', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.events (name, created_at) select 'demo', '2026-01-01 00:01Z' from generate_series(1, 4)`;
	await sql`insert into nowboard.events (name) select 'page_view' from generate_series(1, 3)`;
	await countAll(sql);
	await sql.begin(async (tx) => {
		await uncount(tx, tx`name = 'demo'`);
		await tx`delete from nowboard.events where name = 'demo'`;
	});
	expect(await sums(sql)).toBe(await counted(sql));
});

test('minutes go after some days, quarters stay', async () => {
	const { sql } = await useDatabase();
	await sql`insert into nowboard.rollups (step, source, start, events, page_views)
		select step, '', clock_timestamp() - days * interval '1 day', 1, 1
		from (values (60), (900)) steps(step), (values (1), (4), (4000)) ages(days)`;
	expect(await dropMinutes(sql)).toBe(2);
	expect([
		...(await sql`select step, count(*)::int from nowboard.rollups group by 1 order by 1`),
	]).toEqual([
		{ step: 60, count: 1 },
		{ step: 900, count: 3 },
	]);
});
