/**
 * One live query: a filter, its totals, its breakdowns and its chart, kept up row by row. It begins with one scan
 * of the store, in slices; what happens meanwhile to rows that the scan has not reached is found by the scan.
 */
import type { Dimension } from '../../dimensions';
import { measureOf } from '../../dimensions';
import type { Condition } from '../../filter';
import {
	PAGE_VIEW,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TABLE_LENGTH,
	type LiveFigures,
	type SeriesPoint,
} from '../../protocol';
import { createBreakdown, type Breakdown } from './breakdown';
import type { ClauseTables } from './clause-tables';
import { createCounter } from './counter';
import { NONE, OTHERS } from './dictionary';
import type { Segment } from './segment';
import { createBuckets } from './series';
import type { Crossing, WindowStore } from './window-store';

/** What is shown at the store's time. */
export type ViewFigures = Pick<LiveFigures, 'totals' | 'tables' | 'blurred' | 'reach'>;

/** What one screen asks: a filter, one that it cannot take off, and the breakdowns it shows. */
export type ViewSpec = Condition & { by: readonly Dimension[] };

export type View = {
	/** Scans for at most so long; true: the view is complete. */
	scan(budgetMs: number): boolean;
	complete(): boolean;
	figures(): ViewFigures;
	/** How often anything in it has changed. */
	version(): number;
	breakdown(dimension: Dimension): Breakdown | undefined;
	series(): { minutes: SeriesPoint[]; seconds: SeriesPoint[] };
	/** Points that have changed since the last call. */
	changedSeries(): { minutes: SeriesPoint[]; seconds: SeriesPoint[] };
	close(): void;
};

/** Rows between two looks at the clock. */
const SCAN_STEP = 2_048;
const SECONDS_STEP_MS = 2_000;
const MINUTE_MS = 60_000;

export function createView(
	store: WindowStore,
	tables: ClauseTables,
	{ filter, bound = [], by }: ViewSpec,
): View {
	const rows = tables.compile({ filter, bound });
	const pageViewRows = tables.compile({
		filter: [{ dimension: 'name', operator: ':', value: PAGE_VIEW, negated: false }],
	});
	const isAll = filter.length + bound.length === 0;
	const sessionOf = store.reader('session');
	const sessions = createCounter();
	const minutes = createBuckets(MINUTE_MS, 30);
	const seconds = createBuckets(SECONDS_STEP_MS, 30);
	const breakdowns = by.map((dimension) => ({
		dimension,
		ofPageViews: measureOf(dimension) === 'page_views',
		read: store.reader(dimension),
		breakdown: createBreakdown((code) =>
			code <= OTHERS ? '' : (store.dictionary(dimension)?.value(code) ?? ''),
		),
	}));
	let events = 0;
	let pageViews = 0;
	let lastMinute = 0;
	let version = 0;
	/** the scan's place: rows before it are counted; null: all are */
	let place: { order: number; offset: number } | null = { order: -1, offset: 0 };
	const isCounted = (segment: Segment, offset: number) =>
		place === null ||
		segment.order < place.order ||
		(segment.order === place.order && offset < place.offset);

	function count(segment: Segment, offset: number, by: 1 | -1) {
		const isPageView = pageViewRows.test(segment, offset);
		events += by;
		if (isPageView) pageViews += by;
		for (const { ofPageViews, read, breakdown } of breakdowns)
			if (isPageView || !ofPageViews) breakdown.count(read(segment, offset), by);
		minutes.count(segment.times[offset] as number, isPageView, sessionOf(segment, offset), by);
	}

	function countSession(segment: Segment, offset: number, by: 1 | -1) {
		const session = sessionOf(segment, offset);
		if (session !== NONE) sessions.add(session, by);
	}

	function countRate(segment: Segment, offset: number, by: 1 | -1) {
		lastMinute += by;
		const isPageView = pageViewRows.test(segment, offset);
		seconds.count(segment.times[offset] as number, isPageView, sessionOf(segment, offset), by);
	}

	/** counts a row as it stands now */
	function take(segment: Segment, offset: number) {
		const time = segment.times[offset] as number;
		// 0: it has left
		if (time === 0 || !rows.test(segment, offset)) return;
		version++;
		count(segment, offset, 1);
		if (time > store.at() - SESSION_WINDOW_MS) countSession(segment, offset, 1);
		if (time > store.at() - RATE_WINDOW_MS) countRate(segment, offset, 1);
	}

	const unfollow = store.follow((crossing: Crossing, segment, offset) => {
		if (!isCounted(segment, offset)) return;
		if (crossing === 'enter') return take(segment, offset);
		if (!rows.test(segment, offset)) return;
		version++;
		if (crossing === 'leaveRate') countRate(segment, offset, -1);
		else if (crossing === 'leaveSession') countSession(segment, offset, -1);
		else count(segment, offset, -1);
	});

	/** the rows of one segment from the place on; @returns whether the time is up */
	function scanSegment(segment: Segment, until: number): boolean {
		let offset = place?.order === segment.order ? place.offset : 0;
		while (offset < segment.used) {
			const end = Math.min(segment.used, offset + SCAN_STEP);
			for (; offset < end; offset++) take(segment, offset);
			place = { order: segment.order, offset };
			if (performance.now() >= until) return true;
		}
		return false;
	}

	return {
		scan(budgetMs) {
			const until = performance.now() + budgetMs;
			for (const segment of store.segments()) {
				if (place === null) break;
				if (segment.order >= place.order && scanSegment(segment, until)) return false;
			}
			place = null;
			return true;
		},
		complete: () => place === null,
		figures() {
			const dropped = isAll ? store.dropped() : { events: 0, pageViews: 0 };
			return {
				totals: {
					pageViews: pageViews + dropped.pageViews,
					activeSessions: sessions.size(),
					eventsCount: events + dropped.events,
					eventsPerMinute: lastMinute,
				},
				tables: Object.fromEntries(
					breakdowns.map(({ dimension, breakdown }) => [dimension, breakdown.table(TABLE_LENGTH)]),
				),
				blurred: rows.blurred(),
				reach: store.dropped().events > 0 ? store.reach() : null,
			};
		},
		version: () => version,
		breakdown: (dimension) => breakdowns.find((one) => one.dimension === dimension)?.breakdown,
		series: () => ({ minutes: minutes.points(store.at()), seconds: seconds.points(store.at()) }),
		changedSeries: () => ({
			minutes: minutes.changed(store.at()),
			seconds: seconds.changed(store.at()),
		}),
		close() {
			unfollow();
			rows.close();
			pageViewRows.close();
		},
	};
}
