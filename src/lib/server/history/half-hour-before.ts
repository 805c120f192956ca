/**
 * Counts the half hour before the last half hour, for the change beside each row of a live table. The window store does
 * not keep it, so it is read from the table: one view at a time, with a rest after each, and kept for a minute. So
 * Postgres spends at most half of its time on it, however many views are watched; beyond that rows show no change.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Dimension } from '../../dimensions';
import { toFilterTexts, type Condition } from '../../filter';
import type { Before } from '../../history';
import { COUNT_WINDOW_MS } from '../../protocol';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import { toMs } from '../db/time';
import { BusyError } from './readings';
import { countBySlot, reachesBack, toRangeTable } from './range-tables';

export type BeforeSpec = Condition & { by: readonly Dimension[] };
export type BeforeReader = {
	/** @throws BusyError: too many views wait for theirs; or what the database says */
	read(view: BeforeSpec): Promise<Before>;
};

/** Rows that move up within a minute are among these. */
const LENGTH = 100;
const KEPT_MS = 60_000;
const MAX_KEPT = 500;
/** At a second each they are as old as what is kept. */
export const MAX_WAITING = 30;
/** Of one statement. */
const TIMEOUT_MS = 5_000;
/** Of all of them: a connection that is half open must not hold up the others for ever. */
const DEADLINE_MS = 45_000;

/** @param given the present, ms since 1970; null: the database's clock */
export async function readBefore(
	sql: Sql,
	{ by, ...condition }: BeforeSpec,
	given: number | null = null,
): Promise<Before> {
	return (await sql.begin('read only', async (tx) => {
		const sql = tx as unknown as Sql;
		await sql`select set_config('statement_timeout', ${String(TIMEOUT_MS)}, true)`;
		const [clock] = await sql<[{ at: number }]>`select ${toMs(sql, 'clock_timestamp()')} as at`;
		const at = Math.floor(given ?? clock.at);
		// as a window: its begin is not in it, its end is
		const [from, to] = [at - 2 * COUNT_WINDOW_MS + 1, at - COUNT_WINDOW_MS + 1];
		if (!(await reachesBack(sql, from))) return { at: new Date(at).toISOString(), tables: null };
		const tables: NonNullable<Before['tables']> = {};
		for (const dimension of by) {
			const [now = new Map()] = await countBySlot(sql, condition, dimension, [from, to]);
			tables[dimension] = toRangeTable({ now, before: null }, { length: LENGTH }).rows;
		}
		return { at: new Date(at).toISOString(), tables };
	})) as Before;
}

/** @param rest waits; whatever happens, the next view is read after it */
export function createBefore({
	sql,
	log,
	read = readBefore,
	rest = (ms) => delay(ms, undefined, { ref: false }),
}: {
	sql: Sql;
	log: Logger;
	read?: typeof readBefore;
	rest?: (ms: number) => Promise<unknown>;
}): BeforeReader {
	const kept = new LRUCache<string, Promise<Before>>({ max: MAX_KEPT, ttl: KEPT_MS });
	let last: Promise<unknown> = Promise.resolve();
	let tookMs = 0;
	let waiting = 0;
	/** a promise that is kept keeps the request in which it was made */
	const outside = AsyncLocalStorage.snapshot();

	async function readNow(view: BeforeSpec): Promise<Before> {
		const start = performance.now();
		try {
			return await withDeadline(read(sql, view), DEADLINE_MS, 'the half hour before');
		} finally {
			waiting--;
			tookMs = performance.now() - start;
		}
	}

	function readOrShare({ filter, bound = [], by }: BeforeSpec): Promise<Before> {
		const key = JSON.stringify([toFilterTexts(filter), toFilterTexts(bound), by]);
		const found = kept.get(key);
		if (found) return found;
		if (waiting >= MAX_WAITING) return Promise.reject(new BusyError());
		waiting++;
		const answer = last.then(() => readNow({ filter, bound, by }));
		last = answer
			.catch((error: unknown) => {
				log.warn({ reason: String(error) }, 'the half hour before was not read');
			})
			.then(() => rest(tookMs));
		kept.set(key, answer);
		return answer;
	}

	return { read: (view) => outside(readOrShare, view) };
}
