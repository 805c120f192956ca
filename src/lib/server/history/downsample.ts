/**
 * Thins old ticks: every two seconds for two hours, then the first of each minute, after a week the first
 * of each hour; and of the records of deletions the newest. Ticks are samples, not means or sums (those are
 * in rollup.ts). Any instance may run it, also two at once: they delete the same rows.
 */
import type { Sql } from '../db/connect';
import { TICK_MS } from '../../protocol';

/** Advisory lock key of the thinning (any constant of our own). */
const THIN_LOCK = 7_206_871_103n;
/** Rows deleted by one statement: short transactions, so that nothing waits. */
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

/** Keeps the newest record of a deletion. The epoch covers deletions that make all clients count again. */
export async function thinDeletions(sql: Sql): Promise<number> {
	const { count } = await sql`
		delete from ${sql.schema}.deletions where not recount and through < (
			select through from ${sql.schema}.deletions order by deletions.through desc limit 1)`;
	return count;
}
