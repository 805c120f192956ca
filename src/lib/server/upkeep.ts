/**
 * What is done beside the stream, on connections of its own, so that neither a tick nor a reader ever waits for it: counting
 * for history, deleting what is too old, thinning ticks. Each on one instance at a time. It joins, and decides nothing.
 */
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { withDeadline } from './deadline';
import type { Instance } from './instance';
import { startRepeating } from './repeat';
import { startRetention, type Retention } from './retention';
import { countAll, dropMinutes } from './rollup';
import { thinDeletions, thinTicks } from './thin';

/** History is so much behind, and a little more. */
const COUNT_EVERY_MS = 10_000;
/** With nothing new it is looked at so often: ticks count too, and what came while this process could not read. */
const COUNT_IDLE_MS = 60_000;
const THIN_EVERY_MS = 10 * 60_000;
const THIN_DEADLINE_MS = 60_000;

/**
 * @param sql pooled; ended by whoever made it
 * @param live what tells that events arrived; nothing is counted before it reads, because it repairs a restored dump first
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
	live: Pick<Instance, 'counts' | 'missing'>;
	forget: () => Promise<void>;
}): { retention: Retention; stop(): Promise<void> } {
	let seen = -1;
	let countedAt = -Infinity;
	const warn = (what: string) => (error: unknown) => log.warn({ reason: String(error) }, what);

	const counting = startRepeating({
		everyMs: COUNT_EVERY_MS,
		async run(signal) {
			if (live.missing().length > 0) return;
			const { events } = live.counts();
			if (events === seen && performance.now() - countedAt < COUNT_IDLE_MS) return;
			await countAll(sql, signal);
			countedAt = performance.now();
			seen = events;
		},
		onError: warn('history was not counted; trying again'),
	});
	const thinning = startRepeating({
		everyMs: THIN_EVERY_MS,
		async run() {
			for (const thin of [thinTicks, thinDeletions, dropMinutes])
				await withDeadline(thin(sql), THIN_DEADLINE_MS, 'thinning');
			await forget();
		},
		onError: warn('what is old was not removed; trying again'),
	});
	const retention = startRetention({ sql, days, log });

	return {
		retention,
		async stop() {
			await Promise.all([counting.stop(), thinning.stop(), retention.stop()]);
		},
	};
}
