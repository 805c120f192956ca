/**
 * Years of data: what a million events weigh, how long history takes to answer at every range, and what deleting a day's worth
 * does to the delay of the stream, in our chunks and (beside it) in one statement.
 *
 * npm run bench:history -- [--events 10000000] [--rate 20] [--save]   (needs `npm run build` before)
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { migrate } from '../src/lib/server/migrations/migrate';
import { readHistory } from '../src/lib/server/history/range-query';
import { deleteOld } from '../src/lib/server/history/retention';
import { countNext } from '../src/lib/server/history/rollup';
import { thinTicks } from '../src/lib/server/history/downsample';
import { HISTORY_RANGES } from '../src/lib/history';
import { followEvents } from './load/follow';
import { quantile } from './report/quantile';
import { tell } from './report/result';
import { provideDatabase, startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		events: { type: 'string', default: '10000000' },
		rate: { type: 'string', default: '20' },
		save: { type: 'boolean' },
	},
});
const events = Number(values.events);
const rate = Number(values.rate);
/** Events are spread over so many days, so that one day and a little are too old. */
const DAYS = 91;
const KEPT_DAYS = DAYS - 1;
const PIECES = 20;
const ASKED = 30;

const database = await provideDatabase();
const sql = connect(database.url, { max: 4 });
const seconds = (since: number) => ((performance.now() - since) / 1_000).toFixed(1);

/** As ingest writes them: random ids, properties of a page view, transactions in order of time. */
async function fill() {
	for (let piece = 0; piece < PIECES; piece++) {
		const from = Math.floor((events / PIECES) * piece);
		const to = Math.floor((events / PIECES) * (piece + 1));
		await sql`
			insert into nowboard.events (name, source, session_id, properties, created_at)
			select case when i % 4 = 0 then 'click' else 'page_view' end, 'site ' || i % 3, 's-' || i / 20 % 100000,
				jsonb_build_object('url', 'https://shop.example/products/' || i % 500, 'path', '/products/' || i % 500,
					'title', 'Product ' || i % 500, 'referrer', 'https://search.example/'),
				clock_timestamp() - interval '30 minutes' - ${DAYS}::int * interval '1 day' * (1 - i::float8 / ${events}::float8)
			from generate_series(${from}::bigint, ${to - 1}::bigint) i`;
	}
	await sql`
		insert into nowboard.metrics_snapshots (tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		select floor(extract(epoch from at) / 2), 2000, i % 300, 3000, 100, date_trunc('milliseconds', at), 'abcdef123456-1a2b3c'
		from (select i, clock_timestamp() - i * interval '1 minute' as at from generate_series(1, ${DAYS * 1440}::int) i) times
		on conflict do nothing`;
	await sql`vacuum analyze nowboard.events`;
}

type Delays = { p50: number; p99: number; max: number; seconds: string; events: number };
/** Inserts `rate` events a second while `work` runs, and takes the time from before each INSERT to its frame. */
async function delaysWhile(stream: string, work: () => Promise<unknown>): Promise<Delays> {
	const sent = new Map<string, number>();
	const delays: number[] = [];
	const client = followEvents(stream, (id) => {
		const at = sent.get(id);
		if (at !== undefined) delays.push(performance.now() - at);
	});
	await pause(1_500);
	let working = true;
	const started = performance.now();
	const worked = work().finally(() => (working = false));
	const inserts: Promise<unknown>[] = [];
	while (working) {
		const eventId = randomUUID();
		sent.set(eventId, performance.now());
		inserts.push(
			sql`insert into nowboard.events (name, event_id) values ('measured', ${eventId})`.execute(),
		);
		await pause(1_000 / rate);
	}
	await worked;
	const took = seconds(started);
	await Promise.all(inserts);
	const deadline = performance.now() + 30_000;
	while (delays.length < sent.size && performance.now() < deadline) await pause(20);
	client.stop();
	if (delays.length < sent.size) throw new Error(`${sent.size - delays.length} events never came`);
	delays.sort((a, b) => a - b);
	return {
		p50: quantile(delays, 0.5),
		p99: quantile(delays, 0.99),
		max: delays.at(-1) ?? 0,
		seconds: took,
		events: delays.length,
	};
}
const toRow = (what: string, rows: number | null, one: Delays) => [
	what,
	rows === null ? '–' : rows.toLocaleString('en'),
	one.seconds,
	one.p50.toFixed(1),
	one.p99.toFixed(1),
	one.max.toFixed(0),
];

try {
	await migrate(database.url);
	let started = performance.now();
	await fill();
	console.log(`filled in ${seconds(started)} s`);
	started = performance.now();
	while ((await countNext(sql))?.more);
	const counting = seconds(started);

	const [size] = await sql<
		{
			heap: number;
			indexes: number;
			by: Record<string, number>;
			ticks: number;
			tick_rows: number;
			rollups: number;
			rollup_rows: number;
		}[]
	>`
		select pg_table_size('nowboard.events')::float8 as heap, pg_indexes_size('nowboard.events')::float8 as indexes,
			(select jsonb_object_agg(indexrelid::regclass, pg_relation_size(indexrelid)) from pg_index
				where indrelid = 'nowboard.events'::regclass) as by,
			pg_total_relation_size('metrics_snapshots')::float8 as ticks,
			(select count(*) from nowboard.metrics_snapshots)::int as tick_rows,
			pg_total_relation_size('nowboard.rollups')::float8 as rollups, (select count(*) from nowboard.rollups)::int as rollup_rows`;
	if (!size) throw new Error('the sizes were not read');
	const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
	const perMillion = (bytes: number) => mib((bytes * 1e6) / events);
	const perYear = (bytes: number) => mib((bytes * 365) / DAYS);
	await thinTicks(sql);
	const [thinned] = await sql<
		{ rows: number }[]
	>`select count(*)::int as rows from nowboard.metrics_snapshots`;

	const target = await startTarget({ ...database, stop: async () => {} }, { RETENTION_DAYS: '0' });
	const stream = `${target.url}/api/dashboard/stream?events=activity`;
	const times: (string | number)[][] = [];
	for (const range of HISTORY_RANGES) {
		const read: number[] = [];
		for (let i = 0; i < ASKED; i++) {
			const begin = performance.now();
			await readHistory(sql, { range, source: i % 2 ? 'site 1' : null, zone: 'Europe/Berlin' });
			read.push(performance.now() - begin);
		}
		const asked: number[] = [];
		for (let i = 0; i < ASKED; i++) {
			const begin = performance.now();
			// a zone of each own, so that nothing is taken from memory
			const zone = `Etc/GMT${i % 2 ? '-' : '+'}${1 + (i % 12)}`;
			const source = i < 24 ? '' : `&source=${encodeURIComponent('site 1')}`;
			const response = await fetch(
				`${target.url}/api/dashboard/history?range=${range}&zone=${encodeURIComponent(zone)}${source}`,
			);
			await response.text();
			asked.push(performance.now() - begin);
		}
		const begin = performance.now();
		await (await fetch(`${target.url}/api/dashboard/history?range=${range}&zone=Etc/GMT-1`)).text();
		const kept = performance.now() - begin;
		const rendered: number[] = [];
		for (let i = 0; i < ASKED; i++) {
			const begin = performance.now();
			const response = await fetch(`${target.url}/?range=${range}`);
			await response.text();
			if (!response.ok) throw new Error(`the page at ${range}: ${response.status}`);
			rendered.push(performance.now() - begin);
		}
		for (const list of [read, asked, rendered]) list.sort((a, b) => a - b);
		times.push([
			range,
			quantile(read, 0.5).toFixed(1),
			quantile(asked, 0.5).toFixed(1),
			(asked.at(-1) ?? 0).toFixed(1),
			kept.toFixed(1),
			quantile(rendered, 0.5).toFixed(1),
			(rendered.at(-1) ?? 0).toFixed(1),
		]);
	}

	const [old] = await sql<{ rows: number }[]>`
		select count(*)::int as rows from nowboard.events where created_at < clock_timestamp() - make_interval(days => ${KEPT_DAYS})`;
	const quiet = await delaysWhile(stream, () => pause(8_000));
	let deleted = 0;
	const chunked = await delaysWhile(
		stream,
		async () => (deleted = await deleteOld(sql, KEPT_DAYS)),
	);
	// as many again, in one statement
	let atOnce = 0;
	const naive = await delaysWhile(stream, async () => {
		const { count } = await sql`
			delete from nowboard.events where created_at < clock_timestamp() - make_interval(days => ${KEPT_DAYS - 1})`;
		atOnce = count;
	});
	await target.stop();

	tell({
		name: 'history',
		title: 'Years of data',
		question: `${events.toLocaleString('en')} events over ${DAYS} days, of three sources: what they weigh, how long history takes to answer, and what it does to the stream when the oldest day (${old?.rows.toLocaleString('en')} events) is deleted while ${rate} events a second arrive.`,
		tables: [
			{
				caption: 'What is kept, MiB',
				columns: ['', 'rows', 'MiB', 'for a million events', 'for a year'],
				rows: [
					[
						'events, table',
						events.toLocaleString('en'),
						mib(size.heap),
						perMillion(size.heap),
						'–',
					],
					...Object.entries(size.by).map(([name, bytes]) => [
						`events, index ${name}`,
						'',
						mib(bytes),
						perMillion(bytes),
						'–',
					]),
					[
						'sums for history',
						size.rollup_rows.toLocaleString('en'),
						mib(size.rollups),
						'–',
						perYear(size.rollups),
					],
					[
						'ticks, one a minute',
						size.tick_rows.toLocaleString('en'),
						mib(size.ticks),
						'–',
						perYear(size.ticks),
					],
					[
						'ticks, thinned',
						(thinned?.rows ?? 0).toLocaleString('en'),
						mib((size.ticks * (thinned?.rows ?? 0)) / size.tick_rows),
						'–',
						'–',
					],
				],
			},
			{
				caption: `History, ${ASKED} times each, ms`,
				columns: [
					'range',
					'read, median',
					'over HTTP, median',
					'slowest',
					'from memory',
					'the page, median',
					'slowest',
				],
				rows: times,
			},
			{
				caption: `From before the INSERT to the frame at a client, ms`,
				columns: ['while', 'rows deleted', 'seconds', 'p50 ms', 'p99 ms', 'slowest ms'],
				rows: [
					toRow('nothing is deleted', null, quiet),
					toRow('a day is deleted in chunks', deleted, chunked),
					toRow('(control) a day in one statement', atOnce, naive),
				],
			},
		],
		notes: [
			`Counting all events for history the first time took ${counting} s of work (the server rests as long in between); afterwards each event is counted within some seconds.`,
		],
	});
} finally {
	await sql.end({ timeout: 1 });
	await database.stop();
}
