/**
 * The sums that history is drawn from (`rollups`): events and page views by the minute and by the quarter of an hour in which
 * they were created, in all and by source, and the peak of the ticks' active sessions. Every event is counted once, however late
 * it commits and whatever its `created_at`: the position is a cursor, the newest transaction counted and the holes below it
 * (docs/decisions/0002-cursor.md).
 * Why not what is newer by `created_at`: rows that commit late would never be counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Fragment } from 'postgres';
import type { Sql, TransactionSql } from '../db/connect';
import { PAGE_VIEW } from '../../protocol';
import { parseSnapshot } from '../reader/cursor';
import { toArray } from '../db/array';
import { withDeadline } from '../db/deadline';
import { toMs } from '../db/time';

/** Length in seconds of what is summed. A quarter: a day begins at one in every time zone, and at an hour in most. */
export const STEPS = { minute: 60, quarter: 900 } as const;
/** Sums of minutes are for ranges up to a day and the day before. */
export const MINUTES_KEPT_MS = 3 * 24 * 60 * 60_000;
/** So many sources have sums of their own, the first ones: senders can invent sources. */
export const MAX_SOURCES = 100;
/** Rows counted by one transaction: some tens of milliseconds. */
const CHUNK = 20_000;
/** Instances record ticks in their own time: the last two minutes are looked at again. */
const TICK_OVERLAP = 60;
const DEADLINE_MS = 60_000;
/** Older and later times are in no sum: history shows 90 days. */
const FIRST = '1970-01-01';
const LAST = '9999-01-01';

/** Events of one source created in one minute; `start` in ms since 1970. */
export type Minute = { source: string; start: number; events: number; pageViews: number };
export type Rollup = Minute & { step: number };

/** What minutes add to the sums of all and, for those in `sources`, of their own. Pure. */
export function toRollups(
	minutes: readonly Minute[],
	sources: readonly string[],
	minutesFrom: number,
): Rollup[] {
	const own = new Set(sources);
	const sums = new Map<string, Rollup>();
	for (const { source, start, events, pageViews } of minutes)
		for (const step of Object.values(STEPS)) {
			const lengthMs = step * 1_000;
			if (step === STEPS.minute && start < minutesFrom) continue;
			for (const one of own.has(source) ? ['', source] : ['']) {
				const begin = Math.floor(start / lengthMs) * lengthMs;
				const key = `${step} ${begin} ${one}`;
				const sum = sums.get(key) ?? { step, source: one, start: begin, events: 0, pageViews: 0 };
				sum.events += events;
				sum.pageViews += pageViews;
				sums.set(key, sum);
			}
		}
	return [...sums.values()];
}

type State = { position: string; holes: string; tick: string; sources: string[] };

/** Another process has counted between this transaction's begin and its lock. */
const SERIALIZATION_FAILURE = '40001';

/**
 * Counts the next events, at most about `chunk` (but whole transactions), in a transaction of its own and in one snapshot.
 * @returns whether there may be more; null: another process is at it
 */
export async function countNext(sql: Sql, chunk = CHUNK): Promise<{ more: boolean } | null> {
	try {
		return await sql.begin('isolation level repeatable read', (tx) => count(tx, chunk));
	} catch (error) {
		if ((error as { code?: string }).code === SERIALIZATION_FAILURE) return null;
		throw error;
	}
}

async function count(tx: TransactionSql, chunk: number): Promise<{ more: boolean } | null> {
	// a large transaction is counted whole, whatever limit the role has
	await tx`set local statement_timeout = 0`;
	const [state] = await tx<(State & { snapshot: string; at: number })[]>`
		select position::text, holes::text, tick, to_jsonb(sources) as sources, pg_current_snapshot()::text as snapshot,
			${toMs(tx, 'statement_timestamp()')} as at
		from ${tx.schema}.rollup_state for update skip locked`;
	if (!state) return null;
	const { xmax, running } = parseSnapshot(state.snapshot);
	// a dump from a cluster that was further on: what it brought is counted, what comes here is not
	const isForeign = BigInt(state.position) >= xmax;
	const from = isForeign ? xmax - 1n : BigInt(state.position);
	const holes = isForeign ? '{}' : state.holes;
	const [full] = await tx<{ tx: string }[]>`
		select tx::text from ${tx.schema}.events where tx > ${from.toString()}::xid8
		order by events.tx, id offset ${chunk - 1} limit 1`;
	const [newest] = await tx<{ tx: string }[]>`
		select tx::text from ${tx.schema}.events where tx > ${from.toString()}::xid8 order by events.tx desc limit 1`;
	// a transaction larger than a chunk is counted whole
	const to = BigInt(full?.tx ?? newest?.tx ?? from);

	const minutes = await readMinutes(
		tx,
		tx`((tx > ${from.toString()}::xid8 and tx <= ${to.toString()}::xid8) or tx = any(${holes}::xid8[]))`,
	);
	const sources = [...new Set([...state.sources, ...minutes.map(({ source }) => source)])];
	sources.length = Math.min(sources.length, Math.max(MAX_SOURCES, state.sources.length));
	await add(tx, toRollups(minutes, sources, state.at - MINUTES_KEPT_MS));
	const tick = await takePeaks(tx, Number(state.tick));
	const left = running.filter((one) => one < to);
	await tx`
		update ${tx.schema}.rollup_state set position = ${to.toString()}::xid8, holes = ${`{${left.join(',')}}`}::xid8[], tick = ${tick},
			sources = ${toArray(sources)}::text[], through = coalesce(${full ? null : new Date(state.at)}::timestamptz, through)`;
	return { more: full !== undefined };
}

/** Counts until nothing is left, or another process is at it. */
export async function countAll(sql: Sql, signal?: AbortSignal): Promise<void> {
	while (!signal?.aborted) {
		const started = performance.now();
		const next = await withDeadline(countNext(sql), DEADLINE_MS, 'counting for history');
		if (!next?.more) return;
		// half of the time, when years are counted for the first time
		await pause(performance.now() - started, undefined, { signal }).catch(() => {});
	}
}

/** Minutes are of use for a few days. @returns how many sums were deleted */
export async function dropMinutes(sql: Sql): Promise<number> {
	const { count } = await sql`
		delete from ${sql.schema}.rollups where step = ${STEPS.minute}
			and start < clock_timestamp() - ${`${MINUTES_KEPT_MS} ms`}::interval`;
	return count;
}

/**
 * Takes events out of the sums again, before they are deleted as if they had never been (demo data). Peaks of sessions
 * in the same minutes are forgotten. @param which a condition on `events`
 */
export async function uncount(tx: TransactionSql, which: Fragment): Promise<void> {
	const [state] = await tx<Pick<State, 'sources'>[]>`
		select to_jsonb(sources) as sources from ${tx.schema}.rollup_state for update`;
	if (!state) return;
	const minutes = await readMinutes(tx, tx`${isCounted(tx)} and ${which}`);
	const taken = toRollups(minutes, state.sources, -Infinity).map((sum) => ({
		...sum,
		events: -sum.events,
		pageViews: -sum.pageViews,
	}));
	await tx`
		update ${tx.schema}.rollups set events = rollups.events + taken.events, page_views = rollups.page_views + taken."pageViews",
			peak_sessions = null
		from ${records(tx, taken)} where (rollups.step, rollups.source, rollups.start)
			= (taken.step, taken.source, to_timestamp(taken.start / 1000.0))`;
	await tx`delete from ${tx.schema}.rollups where events = 0 and peak_sessions is null`;
}

/** A condition on `events`: history holds the row. Callers that rely on it must lock `rollup_state`. */
export const isCounted = (sql: Sql | TransactionSql): Fragment => sql`
	(tx <= (select position from ${sql.schema}.rollup_state) and tx <> all((select holes from ${sql.schema}.rollup_state)::xid8[]))`;

async function readMinutes(tx: TransactionSql, which: Fragment): Promise<Minute[]> {
	return tx<Minute[]>`
		select source, ${toMs(tx, "date_trunc('minute', created_at, 'UTC')")} as start,
			count(*)::int as events, (count(*) filter (where name = ${PAGE_VIEW}))::int as "pageViews"
		from ${tx.schema}.events
		where ${which} and created_at >= ${FIRST}::timestamptz and created_at < ${LAST}::timestamptz
		group by 1, 2`;
}

async function add(tx: TransactionSql, rollups: Rollup[]): Promise<void> {
	if (rollups.length === 0) return;
	await tx`
		insert into ${tx.schema}.rollups (step, source, start, events, page_views)
		select step, source, to_timestamp(start / 1000.0), events, "pageViews" from ${records(tx, rollups)}
		on conflict (step, source, start) do update
			set events = rollups.events + excluded.events, page_views = rollups.page_views + excluded.page_views`;
}

/** The highest of the ticks since `from`; a row with no event says that the minute was watched. @returns the newest tick */
async function takePeaks(tx: TransactionSql, from: number): Promise<number> {
	const [newest] = await tx<{ tick: string | null }[]>`
		with fresh as (
			select tick, recorded_at, active_sessions, lag(active_sessions) over time as held, lag(recorded_at) over time as before
			from ${tx.schema}.metrics_snapshots where tick >= ${from - TICK_OVERLAP} window time as (order by tick)
		), samples as (
			select recorded_at, active_sessions from fresh
			-- a figure that does not change is written every 60 to 62 s: a whole minute may lie between, in which it was held
			union all select greatest(before, recorded_at - interval '30 seconds'), held from fresh
			where recorded_at - before < interval '90 seconds'
		), taken as (
			insert into ${tx.schema}.rollups (step, source, start, events, page_views, peak_sessions)
			select step, '', date_bin(step * interval '1 second', recorded_at, 'epoch') as start, 0, 0, max(active_sessions)
			from samples, unnest(${toArray(Object.values(STEPS).map(String))}::smallint[]) as step
			where step = ${STEPS.quarter} or recorded_at > clock_timestamp() - ${`${MINUTES_KEPT_MS} ms`}::interval
			group by step, start
			on conflict (step, source, start) do update
				set peak_sessions = greatest(rollups.peak_sessions, excluded.peak_sessions)
		)
		select max(tick) as tick from fresh`;
	return Math.max(from, Number(newest?.tick ?? 0));
}

const records = (tx: TransactionSql, rows: readonly Rollup[]) => tx`
	jsonb_to_recordset(${tx.json(rows as Rollup[])}::jsonb)
		as taken(step smallint, source text, start float8, events int, "pageViews" int)`;
