/**
 * What is done beside the stream, on connections of its own, so that neither a tick nor a reader ever waits for it: counting
 * for history, deleting what is too old, thinning ticks. Each on one instance at a time. It joins, and decides nothing.
 */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import type { HealthPart } from '../../health';
import { withDeadline } from '../db/deadline';
import { startRepeating } from '../db/repeat';
import { startRetention } from './retention';
import { countAll, dropMinutes } from './rollup';
import { thinDeletions, thinTicks } from './downsample';
import { toHistoryPart, toRetentionPart } from './maintenance-status';

/** History is so much behind, and a little more. */
const COUNT_EVERY_MS = 10_000;
/** With nothing new it is looked at so often: ticks count too, and what came while this process could not read. */
const COUNT_IDLE_MS = 60_000;
const THIN_EVERY_MS = 10 * 60_000;
const THIN_DEADLINE_MS = 60_000;

/** What it has to know of the reading side. */
type Live = { counts(): { events: number }; missing(): string[] };

export type Upkeep = {
	/** How it goes, for the status page. Takes no query. */
	parts(): HealthPart[];
	stop(): Promise<void>;
};

/**
 * @param sql pooled; the caller ends it
 * @param live tells that events arrived; nothing is counted before it has read, because it repairs a
 * restored dump first
 * @param forget removes what was kept for a day and is over
 */
export function startUpkeep({
	sql,
	days,
	log,
	live,
	forget,
}: {
	sql: Sql;
	days: number;
	log: Logger;
	live: Live;
	forget: () => Promise<void>;
}): Upkeep {
	let seen = -1;
	let countedAt: number | null = null;
	const failed = { count: false, thin: false };
	const warn = (part: keyof typeof failed, what: string) => (error: unknown) => {
		failed[part] = true;
		log.warn({ reason: String(error) }, what);
	};

	const counting = startRepeating({
		everyMs: COUNT_EVERY_MS,
		async run(signal) {
			if (live.missing().length > 0) return;
			const { events } = live.counts();
			if (events === seen && performance.now() - (countedAt ?? -Infinity) < COUNT_IDLE_MS) return;
			await countAll(sql, signal);
			failed.count = false;
			countedAt = performance.now();
			seen = events;
		},
		onError: warn('count', 'history was not counted; trying again'),
	});
	const thinning = startRepeating({
		everyMs: THIN_EVERY_MS,
		async run() {
			for (const thin of [thinTicks, thinDeletions, dropMinutes])
				await withDeadline(thin(sql), THIN_DEADLINE_MS, 'thinning');
			await forget();
			failed.thin = false;
		},
		onError: warn('thin', 'what is old was not removed; trying again'),
	});
	const retention = startRetention({ sql, days, log });

	return {
		parts: () => [
			toHistoryPart({
				countedAgoMs: countedAt === null ? null : Math.round(performance.now() - countedAt),
				countFailed: failed.count,
				thinFailed: failed.thin,
			}),
			toRetentionPart(days, retention.seen(), Date.now()),
		],
		async stop() {
			await Promise.all([counting.stop(), thinning.stop(), retention.stop()]);
		},
	};
}
