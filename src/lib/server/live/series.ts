/**
 * What the live chart of one view draws: events, page views and sessions by minute for the half hour and by
 * two seconds for the last minute. Counted by the rows' own times, so a late event changes an older bucket.
 */
import type { SeriesPoint } from '../../protocol';
import { createCounter, type Counter } from './counter';
import { NONE } from './dictionary';
import { SESSION_COLUMN, type Codes, type Segment } from './segment';

export type Buckets = {
	/** @param session code of the row's session; 0: it has none */
	count(time: number, isPageView: boolean, session: number, by: 1 | -1): void;
	/** Counts in the first `length` rows in `offsets`: for scans. `isPageView` has their flags. @see Counter.addAll */
	countAll(
		segment: Segment,
		offsets: Uint16Array,
		length: number,
		isPageView: Uint8Array,
		sums: Uint32Array,
	): void;
	/** Every bucket that lies in the window as a whole, and the one that is running; oldest first. */
	points(now: number): SeriesPoint[];
	/** Those of `points` that were counted in one by one since the last call. */
	changed(now: number): SeriesPoint[];
};

const sizeOf = (counter?: Counter) =>
	counter ? counter.size() - (counter.of(NONE) > 0 ? 1 : 0) : 0;

/** @param stepMs length of a bucket @param length how many the window has; a power of two above it keeps them apart */
export function createBuckets(stepMs: number, length: number): Buckets {
	const cells = 2 ** Math.ceil(Math.log2(length + 2));
	const events = new Int32Array(cells);
	const pageViews = new Int32Array(cells);
	/** rows of each session, and of none, by cell */
	const sessions: (Counter | undefined)[] = Array.from({ length: cells });
	const touched = new Set<number>();
	/** by cell, as long as nothing in it changes */
	const made: (SeriesPoint | undefined)[] = Array.from({ length: cells });

	/** a power of two: `%` would divide doubles for every row */
	const cellOf = (bucket: number) => bucket & (cells - 1);

	function point(bucket: number): SeriesPoint {
		const cell = cellOf(bucket);
		const at = bucket * stepMs;
		const known = made[cell];
		if (known?.at === at) return known;
		return (made[cell] = {
			at,
			events: events[cell] as number,
			pageViews: pageViews[cell] as number,
			sessions: sizeOf(sessions[cell]),
		});
	}
	const lastOf = (now: number) => Math.floor(now / stepMs);
	const isShown = (bucket: number, last: number) => bucket > last - length && bucket <= last;

	return {
		count(time, isPageView, session, by) {
			const bucket = Math.floor(time / stepMs);
			const cell = cellOf(bucket);
			events[cell] = (events[cell] as number) + by;
			if (isPageView) pageViews[cell] = (pageViews[cell] as number) + by;
			(sessions[cell] ??= createCounter()).add(session, by);
			if (events[cell] === 0) sessions[cell] = undefined;
			made[cell] = undefined;
			if (by === 1) touched.add(bucket);
		},
		countAll({ times, codes }, offsets, length, isPageView, sums) {
			const sessionCodes = codes[SESSION_COLUMN] as Codes;
			// rows come about in the order of their time: a bucket's rows stand together
			for (let from = 0; from < length;) {
				const cell = cellOf((times[offsets[from] as number] as number) / stepMs);
				let to = from;
				let views = 0;
				do views += isPageView[offsets[to++] as number] as number;
				while (to < length && cell === cellOf((times[offsets[to] as number] as number) / stepMs));
				events[cell] = (events[cell] as number) + to - from;
				pageViews[cell] = (pageViews[cell] as number) + views;
				(sessions[cell] ??= createCounter()).addAll(sessionCodes, offsets, from, to, sums);
				from = to;
			}
			made.fill(undefined);
		},
		points(now) {
			const last = lastOf(now);
			return Array.from({ length }, (_, i) => point(last - length + 1 + i));
		},
		changed(now) {
			const last = lastOf(now);
			const points = [...touched]
				.filter((bucket) => isShown(bucket, last))
				.sort((a, b) => a - b)
				.map(point);
			touched.clear();
			return points;
		},
	};
}
