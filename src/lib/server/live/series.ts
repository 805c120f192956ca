/**
 * What the live chart of one view draws: events, page views and sessions by minute for the half hour and by
 * two seconds for the last minute. Counted by the rows' own times, so a late event changes an older bucket.
 */
import type { SeriesPoint } from '../../protocol';
import { createCounter } from './counter';

export type Buckets = {
	/** @param session code of the row's session; 0: it has none */
	count(time: number, isPageView: boolean, session: number, by: 1 | -1): void;
	/** Every bucket that lies in the window as a whole, and the one that is running; oldest first. */
	points(now: number): SeriesPoint[];
	/** Those of `points` that were counted in since the last call. */
	changed(now: number): SeriesPoint[];
};

/** @param stepMs length of a bucket @param length how many the window has; a power of two above it keeps them apart */
export function createBuckets(stepMs: number, length: number): Buckets {
	const cells = 2 ** Math.ceil(Math.log2(length + 2));
	const events = new Int32Array(cells);
	const pageViews = new Int32Array(cells);
	const sessions = new Int32Array(cells);
	/** rows of each session in each bucket, by `session · cells + cell` */
	const inBucket = createCounter();
	const touched = new Set<number>();

	function point(bucket: number): SeriesPoint {
		const cell = bucket % cells;
		return {
			at: bucket * stepMs,
			events: events[cell] as number,
			pageViews: pageViews[cell] as number,
			sessions: sessions[cell] as number,
		};
	}
	const lastOf = (now: number) => Math.floor(now / stepMs);
	const isShown = (bucket: number, last: number) => bucket > last - length && bucket <= last;

	return {
		count(time, isPageView, session, by) {
			const bucket = Math.floor(time / stepMs);
			const cell = bucket % cells;
			events[cell] = (events[cell] as number) + by;
			if (isPageView) pageViews[cell] = (pageViews[cell] as number) + by;
			if (session !== 0) {
				const rows = inBucket.add(session * cells + cell, by);
				if (by === 1 ? rows === 1 : rows === 0) sessions[cell] = (sessions[cell] as number) + by;
			}
			if (by === 1) touched.add(bucket);
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
