/** The live chart's buckets: counts by the events' own times. Pure. */
import type { SeriesPoint } from '../../protocol';
import type { ChartLine, Point } from './scale';

/** `value`: null before anything is known. */
export type Bucket = { from: number; to: number; value: number | null };

/** What of a bucket is counted. */
export type BucketKey = 'events' | 'pageViews' | 'sessions';

export type LiveSpan = 'minutes' | 'seconds';

/** The two live charts: their buckets, and the time from the left edge to the now line. */
export const SPANS: Record<LiveSpan, { stepMs: number; windowMs: number }> = {
	minutes: { stepMs: 60_000, windowMs: 29 * 60_000 },
	seconds: { stepMs: 2_000, windowMs: 58_000 },
};
const BUCKETS = 30;

/**
 * The last thirty buckets, the running one last. A bucket that is missing among those that are known had no event.
 * @param now ms of database time
 */
export function toBuckets(
	points: readonly SeriesPoint[],
	key: BucketKey,
	stepMs: number,
	now: number,
): Bucket[] {
	const values = new Map(points.map((point) => [point.at, point[key]]));
	const known = points[0]?.at ?? Infinity;
	const last = Math.max(Math.floor(now / stepMs) * stepMs, points.at(-1)?.at ?? 0);
	return Array.from({ length: BUCKETS }, (_, i) => {
		const from = last - (BUCKETS - 1 - i) * stepMs;
		return { from, to: from + stepMs, value: from < known ? null : (values.get(from) ?? 0) };
	});
}

/** The line through the middles of the full buckets, and from there to what the running one has so far. */
export function toLines(buckets: readonly Bucket[], head: Point, until: number): ChartLine[] {
	const full = buckets.slice(0, -1).map(({ from, to, value }) => ({ at: (from + to) / 2, value }));
	const last = full.at(-1);
	const carried = { at: until, value: head.value };
	return [
		{ kind: 'ink', points: full },
		{ kind: 'unfinished', points: [...(last ? [last] : []), head, carried] },
	];
}
