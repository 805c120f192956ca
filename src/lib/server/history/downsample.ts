/**
 * Thins old ticks, so that years of them stay small: every two seconds for the last two hours, then the first of each minute,
 * after a week the first of each hour; and what deletions leave behind, of which the newest counts. What stays is what was
 * recorded, at its time and cursor: samples, neither means nor sums (those are in rollup.ts). Runs on any instance, one at a
 * time; two at once would delete the same rows, so nothing is lost by it. Knows nothing of how ticks come about.
 */
import type { Sql } from '../db/connect';
import { TICK_MS } from '../../protocol';

/** Advisory lock key of the thinning (any constant of our own). */
const THIN_LOCK = 7_206_871_103n;
/** Rows deleted by one statement: short transactions, so that nobody waits. */
const CHUNK = 5_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Ticks older than `olderMs` are kept once every `keepMs`: the first of each. */
export const STEPS = [
	{ olderMs: 2 * HOUR_MS, keepMs: MINUTE_MS },
	{ olderMs: 7 * 24 * HOUR_MS, keepMs: HOUR_MS },
] as const;

/** @returns the number of ticks deleted; 0 when another instance is at it */
export async function thinTicks(sql: Sql): Promise<number> {
	let deleted = 0;
	for (const { olderMs, keepMs } of STEPS) {
		const ticks = keepMs / TICK_MS;
		for (;;) {
			const { count } = await sql`
				with mine as materialized (select pg_try_advisory_xact_lock(${THIN_LOCK.toString()}::bigint) as it),
				later as (
					select id, row_number() over (partition by tick / ${ticks}::bigint order by tick) as place
					from ${sql.schema}.metrics_snapshots
					where recorded_at < clock_timestamp() - ${`${olderMs} ms`}::interval
				)
				delete from ${sql.schema}.metrics_snapshots where (select it from mine)
					and id in (select id from later where place > 1 limit ${CHUNK})`;
			deleted += count;
			if (count < CHUNK) break;
		}
	}
	return deleted;
}

/** Keeps the newest of what DELETE left behind; what everybody has to recount goes with the epoch. */
export async function thinDeletions(sql: Sql): Promise<number> {
	const { count } = await sql`
		delete from ${sql.schema}.deletions where not recount and through < (
			select through from ${sql.schema}.deletions order by deletions.through desc limit 1)`;
	return count;
}
