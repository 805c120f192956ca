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
import { SEGMENT_ROWS, type Codes, type Segment } from './segment';
import { createBuckets } from './series';
import type { ViewIndex } from './view-index';
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

/** Rows between two looks at the clock: about a millisecond of work. */
const SCAN_STEP = 8_192;
const SECONDS_STEP_MS = 2_000;
const MINUTE_MS = 60_000;

/**
 * What a step of any scan works with, which is never interrupted: offsets of the rows that are counted, by offset whether
 * one is a page view, and a sum for each code, 0 between two uses.
 */
const scratch = {
	offsets: new Uint16Array(SEGMENT_ROWS),
	viewed: new Uint16Array(SEGMENT_ROWS),
	isPageView: new Uint8Array(SEGMENT_ROWS),
	sums: new Uint32Array(2 ** 16),
};

/** @param index tells the view about the rows that it may show */
export function createView(
	store: WindowStore,
	tables: ClauseTables,
	index: ViewIndex,
	{ filter, bound = [], by }: ViewSpec,
): View {
	const rows = tables.compile({ filter, bound });
	const pageViewRows = tables.compile({
		filter: [{ dimension: 'name', operator: ':', value: PAGE_VIEW, negated: false }],
	});
	const isAll = filter.length + bound.length === 0;
	const sessionOf = store.column('session');
	/** rows of each session; those without one too */
	const sessions = createCounter();
	const minutes = createBuckets(MINUTE_MS, 30);
	const seconds = createBuckets(SECONDS_STEP_MS, 30);
	const breakdowns = by.map((dimension) => ({
		dimension,
		ofPageViews: measureOf(dimension) === 'page_views',
		column: store.column(dimension),
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

	const codeOf = (codes: Codes | undefined, offset: number) => codes?.[offset] ?? NONE;

	function count(segment: Segment, offset: number, by: 1 | -1) {
		const isPageView = pageViewRows.test(segment, offset);
		const session = codeOf(sessionOf(segment), offset);
		events += by;
		if (isPageView) pageViews += by;
		for (const { ofPageViews, column, breakdown } of breakdowns)
			if (isPageView || !ofPageViews) breakdown.count(codeOf(column(segment), offset), by);
		minutes.count(segment.times[offset] as number, isPageView, session, by);
	}

	function countSession(segment: Segment, offset: number, by: 1 | -1) {
		sessions.add(codeOf(sessionOf(segment), offset), by);
	}

	function countRate(segment: Segment, offset: number, by: 1 | -1) {
		lastMinute += by;
		const isPageView = pageViewRows.test(segment, offset);
		const session = codeOf(sessionOf(segment), offset);
		seconds.count(segment.times[offset] as number, isPageView, session, by);
	}

	const unfollow = index.add(rows, (crossing: Crossing, segment, offset) => {
		if (!isCounted(segment, offset) || !rows.test(segment, offset)) return;
		version++;
		if (crossing === 'leaveRate') return countRate(segment, offset, -1);
		if (crossing === 'leaveSession') return countSession(segment, offset, -1);
		if (crossing === 'leave') return count(segment, offset, -1);
		const time = segment.times[offset] as number;
		count(segment, offset, 1);
		if (time > store.at() - SESSION_WINDOW_MS) countSession(segment, offset, 1);
		if (time > store.at() - RATE_WINDOW_MS) countRate(segment, offset, 1);
	});

	/** Counts the rows from one offset to another as they stand now: column by column, without a call for each row. */
	function take(segment: Segment, from: number, to: number) {
		const codes = store.dictionary('session')?.capacity() ?? 0;
		if (codes > scratch.sums.length) scratch.sums = new Uint32Array(2 * codes);
		const { offsets, viewed, isPageView, sums } = scratch;
		const { times } = segment;
		let length = 0;
		for (let offset = from; offset < to; offset++) {
			offsets[length] = offset;
			// 0: it has left
			if (times[offset] !== 0) length++;
		}
		length = rows.select(segment, offsets, length);
		if (length === 0) return;
		version++;
		viewed.set(offsets.subarray(0, length));
		const views = pageViewRows.select(segment, viewed, length);
		for (let i = 0; i < views; i++) isPageView[viewed[i] as number] = 1;
		events += length;
		pageViews += views;
		for (const { ofPageViews, column, breakdown } of breakdowns)
			if (ofPageViews) breakdown.countAll(column(segment), viewed, views, sums);
			else breakdown.countAll(column(segment), offsets, length, sums);
		minutes.countAll(segment, offsets, length, isPageView, sums);
		length = keepNewer(times, store.at() - SESSION_WINDOW_MS, offsets, length);
		sessions.addAll(sessionOf(segment), offsets, 0, length, sums);
		length = keepNewer(times, store.at() - RATE_WINDOW_MS, offsets, length);
		seconds.countAll(segment, offsets, length, isPageView, sums);
		lastMinute += length;
		isPageView.fill(0, from, to);
	}

	/** the rows of one segment from the place on; @returns whether the time is up */
	function scanSegment(segment: Segment, until: number): boolean {
		let offset = place?.order === segment.order ? place.offset : 0;
		while (offset < segment.used) {
			const end = Math.min(segment.used, offset + SCAN_STEP);
			take(segment, offset, end);
			offset = end;
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
					activeSessions: sessions.size() - (sessions.of(NONE) > 0 ? 1 : 0),
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

function keepNewer(times: Float64Array, than: number, offsets: Uint16Array, length: number) {
	let kept = 0;
	for (let i = 0; i < length; i++) {
		const offset = offsets[i] as number;
		offsets[kept] = offset;
		if ((times[offset] as number) > than) kept++;
	}
	return kept;
}
