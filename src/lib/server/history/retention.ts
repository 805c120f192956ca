/**
 * Deletes events older than the days they are kept, oldest first, in chunks, and only what history has counted (rollup.ts).
 * Its position is a row that an instance locks for each chunk: one deletes at a time, and the next resumes there. The pause
 * between chunks holds for all. Why not one statement: locks, dead rows and the trigger's row would last for all of it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Fragment } from 'postgres';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { toIso, toMs } from '../db/time';
import { isCounted } from './rollup';
import { startRepeating, type Repeating } from '../db/repeat';

/** Rows of one transaction: about 20 ms, so that a drain that comes meanwhile waits for no disk. */
export const CHUNK = 1_000;
/** After a chunk as much rest as work, three times over, but at least so much. */
const MIN_REST_MS = 20;
const REST_PER_WORK = 3;
/** A run is begun so long after the end of the last. */
export const RUN_EVERY_MS = 10 * 60_000;
/** An instance looks so often whether one is due, and after an error tries again. */
const LOOK_EVERY_MS = 60_000;
const DEADLINE_MS = 30_000;

export type RetentionStatus = {
	/** days that events are kept; 0: for ever */
	days: number;
	/** ISO 8601, or null: never */
	startedAt: string | null;
	/** null while a run is not at its end, and before the first */
	finishedAt: string | null;
	/** rows that the last run deleted, or this one until now, and all runs together */
	deleted: number;
	deletedTotal: number;
	/** `created_at` of the oldest event that is there; null: there is none */
	oldestEventAt: string | null;
	/** why this process could not delete at its last attempt; null: it could */
	error: string | null;
};

export type Retention = {
	/** Reads where the deletion stands, on whichever instance it ran. Two short queries. */
	status(): Promise<RetentionStatus>;
	/** Where it stood when this process looked last, at most a minute ago, and whether its last attempt failed. Takes no query. */
	seen(): { seen: RetentionStatus | null; failed: boolean };
	stop(): Promise<void>;
};

/** @param days kept; 0: nothing is ever deleted */
export function startRetention({
	sql,
	days,
	log,
	lookEveryMs = LOOK_EVERY_MS,
}: {
	sql: Sql;
	days: number;
	log: Logger;
	lookEveryMs?: number;
}): Retention {
	let error: string | null = null;
	let seen: RetentionStatus | null = null;
	const status = async () => ({ ...(await readStatus(sql)), days, error });
	const repeating: Repeating | null =
		days === 0
			? null
			: startRepeating({
					everyMs: lookEveryMs,
					async run(signal) {
						const deleted = await deleteOld(sql, days, signal);
						error = null;
						seen = await withDeadline(status(), DEADLINE_MS, 'reading where deletion stands');
						if (deleted > 0) log.info({ deleted, days }, 'old events were deleted');
					},
					onError(reason) {
						error = String(reason);
						log.warn({ reason: error, days }, 'old events were not deleted; trying again');
					},
				});
	return {
		seen: () => ({ seen, failed: error !== null }),
		status,
		stop: async () => repeating?.stop(),
	};
}

/** A run, or what is left of one; 0 when none is due or another process is at it. @returns the rows this process deleted */
export async function deleteOld(sql: Sql, days: number, signal?: AbortSignal): Promise<number> {
	let deleted = 0;
	while (!signal?.aborted) {
		const started = performance.now();
		const chunk = await withDeadline(deleteChunk(sql, days), DEADLINE_MS, 'deleting old events');
		deleted += chunk?.deleted ?? 0;
		if (!chunk?.more) break;
		// timers fire early, and an early run is rejected
		const restMs = toRest(performance.now() - started) + 10;
		await pause(restMs, undefined, { signal }).catch(() => {});
	}
	return deleted;
}

const toRest = (workMs: number) => Math.max(MIN_REST_MS, REST_PER_WORK * workMs);

/**
 * The next rows that are too old, locked; rows that are locked already are left to another run. No condition on `tx`, or the
 * planner takes its index and sorts half of the table: a test holds the plan.
 * @param from a `created_at` in SQL, the last one deleted: every chunk would walk over the dead rows before it again
 */
export function oldQuery(sql: Sql, from: Fragment, days: number, limit: number): Fragment {
	// a literal, so that a generic plan knows it too
	const rows = sql.unsafe(String(limit)) as unknown as Fragment;
	return sql`
		select id from ${sql.schema}.events
		where created_at >= coalesce(${from}, '-infinity')
			and created_at < clock_timestamp() - make_interval(days => ${days}::int)
		order by created_at limit ${rows} for update skip locked`;
}

/**
 * Deletes the next chunk. @returns null: it is not due, another process is at it, or nothing has been counted for history yet
 */
export async function deleteChunk(
	sql: Sql,
	days: number,
	limit = CHUNK,
): Promise<{ deleted: number; more: boolean } | null> {
	return sql.begin('isolation level read committed', async (tx) => {
		await tx`set local lock_timeout = '2s'`;
		const [state] = await tx<{ fresh: boolean }[]>`
			select (finished_at is not null or started_at is null) as fresh from ${tx.schema}.retention_state
			where resume_at <= clock_timestamp() and exists (select from ${tx.schema}.rollup_state where through is not null)
			for update skip locked`;
		if (!state) return null;
		const { fresh } = state;
		const started = performance.now();
		const from = fresh
			? tx`null::timestamptz`
			: tx`(select reached from ${tx.schema}.retention_state)`;
		// `reached` stays in the database: it may be a time that JavaScript cannot hold
		const [gone] = await tx<{ found: number; deleted: number }[]>`
			with old as materialized (${oldQuery(tx as unknown as Sql, from, days, limit)}),
			gone as (
				delete from ${tx.schema}.events using old where events.id = old.id and ${isCounted(tx)} returning created_at
			), moved as (
				update ${tx.schema}.retention_state set reached = coalesce((select max(created_at) from gone), reached)
			)
			select (select count(*) from old)::int as found, count(*)::int as deleted from gone`;
		const { found = 0, deleted = 0 } = gone ?? {};
		const more = found === limit && deleted > 0;
		const restMs = more ? toRest(performance.now() - started) : RUN_EVERY_MS;
		await tx`
			update ${tx.schema}.retention_state set
				started_at = case when ${fresh} then clock_timestamp() else started_at end,
				finished_at = case when ${!more} then clock_timestamp() end,
				deleted = ${deleted}::bigint + case when ${fresh} then 0 else deleted end,
				deleted_total = deleted_total + ${deleted}::bigint,
				reached = case when ${more} then reached end,
				resume_at = clock_timestamp() + ${`${Math.round(restMs)} ms`}::interval`;
		return { deleted, more };
	});
}

async function readStatus(sql: Sql): Promise<Omit<RetentionStatus, 'days' | 'error'>> {
	const [row] = await sql<
		{
			started_at: number | null;
			finished_at: number | null;
			deleted: string;
			deleted_total: string;
			oldest: number | null;
		}[]
	>`select ${toMs(sql, 'started_at')} as started_at, ${toMs(sql, 'finished_at')} as finished_at, deleted, deleted_total,
			(select ${toMs(sql, 'min(created_at)')} from ${sql.schema}.events) as oldest
		from ${sql.schema}.retention_state`;
	if (!row) throw new Error('retention_state has no row: the migration that makes one did not run');
	return {
		startedAt: toIso(row.started_at),
		finishedAt: toIso(row.finished_at),
		deleted: Number(row.deleted),
		deletedTotal: Number(row.deleted_total),
		oldestEventAt: toIso(row.oldest),
	};
}
