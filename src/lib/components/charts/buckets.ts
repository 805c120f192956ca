/** The live chart's buckets: counts by the events' own times. Pure. */
import type { PeoplePoint, SeriesPoint } from '../../protocol';
import type { ChartLine, Point } from './scale';

/** `value`: null before anything is known. `part`: what of it is drawn as a second line. */
export type Bucket = { from: number; to: number; value: number | null; part?: number | null };

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

/** How many people were here at the end of each minute, and how many of them were active. @param now ms of database time */
export function toPeopleBuckets(points: readonly PeoplePoint[], now: number): Bucket[] {
	const { stepMs } = SPANS.minutes;
	const last = Math.max(Math.floor(now / stepMs) * stepMs, points.at(-1)?.at ?? 0);
	return Array.from({ length: BUCKETS }, (_, i) => {
		const from = last - (BUCKETS - 1 - i) * stepMs;
		// a figure that rests is recorded every 60 to 62 s: a whole minute may lie between
		const point = points.findLast(({ at }) => at <= from && at >= from - stepMs);
		const value = point ? point.active + point.idle : null;
		return { from, to: from + stepMs, value, part: point?.active ?? null };
	});
}

/** The line through the middles of the full buckets, and from there to what the running one has so far. */
export function toLines(buckets: readonly Bucket[], head: Point, until: number): ChartLine[] {
	const full = buckets.slice(0, -1).map(({ from, to, value }) => ({ at: (from + to) / 2, value }));
	const last = full.at(-1);
	const carried = { at: until, value: head.value };
	const parts = buckets.map(({ from, to, part = null }, i) => ({
		at: i === buckets.length - 1 ? head.at : (from + to) / 2,
		value: part,
	}));
	return [
		...(buckets[0]?.part === undefined ? [] : [{ kind: 'quiet' as const, points: parts }]),
		{ kind: 'ink', points: full },
		{ kind: 'unfinished', points: [...(last ? [last] : []), head, carried] },
	];
}

/**
 * The time of a page about a bucket: its end, ms and in words. The present is taken to be a second ago, as this clock may
 * be ahead of the database's. @param held the page shows `now` already
 * @returns null: the page shows it
 */
export function toEnd(
	to: number,
	now: number,
	held: boolean,
	toText: (at: number) => string,
): { at: number; text: string } | null {
	if (to > now && held) return null;
	const present = Math.floor(now / 1_000) * 1_000 - (held ? 0 : 1_000);
	const at = Math.min(to, present);
	return { at, text: toText(at) };
}
