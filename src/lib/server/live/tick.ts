/**
 * The ticks: every two seconds of database time each process that is caught up offers its figures to `metrics_snapshots`; the
 * first one records the tick, and all show that row. No leader, nothing to take over.
 * A tick is written when a figure changed, and at least once a minute. It stores its time and cursor, so SQL can check it.
 */
import type { Sql } from '../db/connect';
import {
	COUNT_WINDOW_MS,
	TICK_MS,
	type People,
	type PeoplePoint,
	type Table,
	type Tick,
	type Totals,
} from '../../protocol';
import { withDeadline } from '../db/deadline';
import { withTickPeople } from '../../presence';
import { toMs } from '../db/time';

/** Figures as they stand: the rows seen by `cursor`, at database time `at` (ms since 1970). */
export type Figures = { totals: Totals; at: number; cursor: string; people?: People | null };

/** A tick is written at least so often, so that a flat line is known to be flat. */
export const IDLE_TICK_MS = 60_000;
const DEADLINE_MS = 5_000;
const MINUTE_MS = 60_000;

type Raw = {
	page_views: number;
	active_sessions: number;
	events_count: number;
	events_per_minute: number;
	recorded_at: number;
	active: number | null;
	idle: number | null;
};

const columns = (sql: Sql) =>
	sql`page_views, active_sessions, events_count, events_per_minute, ${toMs(sql, 'recorded_at')} as recorded_at,
		${count(sql, 'active')} as active, ${count(sql, 'idle')} as idle`;

/** A figure of the people; null: not recorded, or anything else stands there. */
const count = (sql: Sql, key: 'active' | 'idle') =>
	sql`case when jsonb_typeof(people -> ${key}::text) = 'number' then (people ->> ${key}::text)::float8::int end`;

/** Records the figures, or finds that another process was first; resolves to the row that stands, and the one half an hour earlier. */
export async function recordTick(
	sql: Sql,
	{ totals, at, cursor, people = null }: Figures,
): Promise<{ tick: Tick; previous: Tick | null }> {
	const number = Math.floor(at / TICK_MS);
	await sql`
		insert into ${sql.schema}.metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor, people)
		values (${number}, ${totals.pageViews}, ${totals.activeSessions}, ${totals.eventsCount},
			${totals.eventsPerMinute}, ${new Date(at)}, ${cursor}, ${people === null ? null : sql.json(people as never)})
		on conflict (tick) do nothing`;
	const [row] = await sql<
		Raw[]
	>`select ${columns(sql)} from ${sql.schema}.metrics_snapshots where tick = ${number}`;
	if (!row) throw new Error(`tick ${number} is neither recorded nor there`);
	return { tick: toTick(row), previous: await readPrevious(sql, at) };
}

/** The last tick at or before half an hour ago, if one was recorded within the minute and a half before. */
export async function readPrevious(sql: Sql, at: number): Promise<Tick | null> {
	const then = at - COUNT_WINDOW_MS;
	const [row] = await sql<Raw[]>`
		select ${columns(sql)} from ${sql.schema}.metrics_snapshots
		where recorded_at <= ${new Date(then)} and recorded_at > ${new Date(then - 1.5 * IDLE_TICK_MS)}
		order by metrics_snapshots.recorded_at desc limit 1`;
	return row ? toTick(row) : null;
}

/** The people that the last tick until `at` recorded, if there was one in the minute and a half before. */
export async function readTickPeople(sql: Sql, at: number): Promise<People | null> {
	const [row] = await sql<(Raw & { people: unknown })[]>`
		select ${columns(sql)}, people from ${sql.schema}.metrics_snapshots
		where recorded_at <= ${new Date(at)} and recorded_at > ${new Date(at - 1.5 * IDLE_TICK_MS)}
		order by metrics_snapshots.recorded_at desc limit 1`;
	const counts = row && toTick(row).people;
	if (!counts) return null;
	const { pages, referrers } = row.people as { pages: unknown; referrers: unknown };
	return { ...counts, pages: toTable(pages), referrers: toTable(referrers) };
}

/** Anything may stand in the column: only what is a table is taken. */
function toTable(found: unknown): Table {
	const { rows, other } = (found ?? {}) as { rows: unknown; other: unknown };
	const isRow = (row: Partial<Table['rows'][number]> | null) =>
		typeof row?.key === 'string' && typeof row.count === 'number';
	return {
		rows: Array.isArray(rows) ? (rows as Table['rows']).filter(isRow) : [],
		other: typeof other === 'number' ? other : 0,
	};
}

/** Reads the people of the half hour until `at`: the last tick of each minute that recorded them, oldest first. */
export async function readPeopleMinutes(sql: Sql, at: number): Promise<PeoplePoint[]> {
	const from = Math.floor((at - COUNT_WINDOW_MS) / MINUTE_MS) * MINUTE_MS;
	const rows = await sql<Raw[]>`
		select distinct on (date_trunc('minute', metrics_snapshots.recorded_at, 'UTC')) ${columns(sql)}
		from ${sql.schema}.metrics_snapshots
		where recorded_at >= ${new Date(from)} and recorded_at <= ${new Date(at)} and people is not null
		order by date_trunc('minute', metrics_snapshots.recorded_at, 'UTC'), metrics_snapshots.recorded_at desc`;
	return rows.map(toTick).reduce(withTickPeople, [] as PeoplePoint[]);
}

/**
 * Calls `figures` at every boundary of TICK_MS of the database's clock and records what it returns.
 * @param figures resolves to null when this process is not caught up: the tick is left to others
 * @param databaseNow estimate of the database's clock, ms since 1970
 */
export function startTicking({
	sql,
	figures,
	databaseNow,
	onTick,
	onError,
}: {
	sql: Sql;
	figures: () => Promise<Figures | null>;
	databaseNow: () => number;
	onTick: (tick: Tick, previous: Tick | null) => void;
	onError: (error: unknown) => void;
}): { stop(): void } {
	let stopped = false;
	let timer: ReturnType<typeof setTimeout>;
	let last: Figures | null = null;

	async function tick() {
		try {
			const now = await figures();
			if (!now || (last && isSame(last, now) && now.at - last.at < IDLE_TICK_MS)) return;
			const { tick, previous } = await withDeadline(recordTick(sql, now), DEADLINE_MS, 'a tick');
			last = now;
			if (!stopped) onTick(tick, previous);
		} catch (error) {
			if (!stopped) onError(error);
		}
	}

	function plan(boundary = (Math.floor(databaseNow() / TICK_MS) + 1) * TICK_MS) {
		if (stopped) return;
		timer = setTimeout(() => {
			// timers fire early and estimates move: before its boundary it would be counted as the tick before
			if (databaseNow() < boundary) plan(boundary);
			else void tick().then(() => plan());
		}, boundary - databaseNow());
	}
	plan();

	return {
		stop() {
			stopped = true;
			clearTimeout(timer);
		},
	};
}

/** People are the same object while nothing about them has changed. */
function isSame({ totals: a, ...one }: Figures, { totals: b, ...other }: Figures): boolean {
	if ((one.people ?? null) !== (other.people ?? null)) return false;
	return (Object.keys(a) as (keyof Totals)[]).every((figure) => a[figure] === b[figure]);
}

function toTick(row: Raw): Tick {
	return {
		pageViews: row.page_views,
		activeSessions: row.active_sessions,
		eventsCount: row.events_count,
		eventsPerMinute: row.events_per_minute,
		recordedAt: new Date(row.recorded_at).toISOString(),
		...(row.active !== null &&
			row.idle !== null && { people: { active: row.active, idle: row.idle } }),
	};
}
