/** What is done beside the stream, as parts of the status page: in words, without the viewer's clock. Pure. */
import { DEFAULT_LOOK, toCount, toDuration } from '../../format';
import type { HealthPart } from '../../health';
import type { RetentionStatus } from './retention';

const FOR_EVER = 'Events are kept for ever: RETENTION_DAYS is 0.';
const DAY_MS = 24 * 60 * 60_000;
const count = (number: number) => toCount(number, DEFAULT_LOOK);

/**
 * @param seen where the deletion stood when it was looked at last; null: not yet
 * @param now in ms since 1970
 */
export function toRetentionPart(
	days: number,
	{ seen, failed }: { seen: RetentionStatus | null; failed: boolean },
	now: number,
): HealthPart {
	const name = 'Retention';
	if (days === 0) return { name, state: 'fine', words: FOR_EVER, figure: '' };
	const figure = seen?.oldestEventAt ? `back ${toAge(now - Date.parse(seen.oldestEventAt))}` : '';
	const kept = `Events are kept for ${days} ${days === 1 ? 'day' : 'days'}.`;
	if (failed) {
		const words = `${kept} Older ones could not be deleted; it is tried again every minute.`;
		return { name, state: 'degraded', words, figure };
	}
	return { name, state: 'fine', words: `${kept}${toRun(seen, now)}`, figure };
}

function toRun(seen: RetentionStatus | null, now: number): string {
	if (!seen?.startedAt) return '';
	const { finishedAt, deleted, deletedTotal } = seen;
	if (finishedAt === null) return ` Older ones are being deleted: ${count(deleted)} until now.`;
	const ago = toDuration(now - Date.parse(finishedAt));
	const last = deleted === 0 ? 'found none older' : `deleted ${count(deleted)}`;
	const inAll = deletedTotal > deleted ? `; all runs together ${count(deletedTotal)}` : '';
	return ` The last run, ${ago} ago, ${last}${inAll}.`;
}

function toAge(ms: number): string {
	return ms < DAY_MS ? toDuration(ms) : `${Math.floor(ms / DAY_MS)} d`;
}

/** @param countedAgoMs since this process counted last; null: not yet */
export function toHistoryPart({
	countedAgoMs,
	countFailed,
	thinFailed,
}: {
	countedAgoMs: number | null;
	countFailed: boolean;
	thinFailed: boolean;
}): HealthPart {
	const name = 'History';
	const figure = countedAgoMs === null ? '' : `${toDuration(countedAgoMs)} ago`;
	const told = (words: string): HealthPart => ({ name, state: 'degraded', words, figure });
	if (countFailed) return told('Events could not be counted for the ranges; it is tried again.');
	if (thinFailed) return told('Old ticks could not be thinned; it is tried again.');
	const words = 'Events are counted for the ranges as they come.';
	return { name, state: 'fine', words, figure };
}
