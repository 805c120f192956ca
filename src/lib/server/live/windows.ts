/**
 * The figures and tables, kept in memory as sliding windows over the rows a cursor has seen, in all and for each source.
 * A figure is a function of (rows added, time `at`): windows are `at − w < createdAt ≤ at`, exact to the millisecond,
 * so SQL over the same rows gives the same number, and a card equals the sum of its table. It knows neither database nor clock.
 * The cost of moving the time is that of what leaves the window, never of what is inside. What tables tell apart is bounded: whoever
 * sends another path each time costs neither memory nor time beyond that.
 */
import {
	COUNT_WINDOW_MS,
	PAGE_VIEW,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TABLE_LENGTH,
	type Table,
	type Tables,
	type Totals,
} from '../../protocol';
import { createCells } from './time-buckets';
import { createDistinct, type Distinct } from './distinct-count';

/** What the windows need of a row. `createdAt` in ms since 1970; `path` and `referrer` are null when not given. */
export type WindowRow = {
	name: string;
	source: string;
	sessionId: string | null;
	path: string | null;
	referrer: string | null;
	createdAt: number;
};

export type Aggregator = {
	/** Counts a row, late or early ones included: one from the future enters when its time comes. */
	add(row: WindowRow): void;
	/** Moves the time forward, ms since 1970; an earlier time than the present one is ignored. */
	advance(at: number): void;
	/** The figures at `at()`. @param source null: of all sources */
	totals(source?: string | null): Totals;
	/** What the figures are made of, the most frequent first. `sources` is always that of all. */
	tables(source?: string | null): Tables;
	/** Whether anything of the source is in the figures; of one that is not, all are zero. */
	has(source: string): boolean;
	at(): number;
};

/** Shown for page views that name no path or no referrer: typed in, or from a page of the same site. */
export const NO_PATH = '(no path)';
export const DIRECT = '(direct or internal)';
/**
 * Names, paths and referrers of one source that are told apart at a time, in all. What comes beyond is counted in every figure, and in the tables among
 * the others, until something has left the window.
 */
export const MAX_KINDS = 50_000;
/** In no text of Postgres there is a NUL. */
const OTHERS = '\0others';

/** What rows have in common as far as counting goes: kept once, however many rows there are. */
type Kind = {
	name: string;
	source: string;
	path: string;
	referrer: string;
	rows: number;
	key: string;
};

type Counts = Map<string, number>;
type View = {
	events: number;
	lastMinute: number;
	pageViews: number;
	names: Counts;
	pages: Counts;
	referrers: Counts;
	sessions: Distinct;
};

/** @param at database time to begin with, ms since 1970 @param maxKinds see {@link MAX_KINDS} */
export function createAggregator(at: number, maxKinds = MAX_KINDS): Aggregator {
	const cells = createCells<Kind>(COUNT_WINDOW_MS);
	const kinds = new Map<string, Kind>();
	const all = createView();
	const views = new Map<string, View>();
	/** rows from the future, by the millisecond at which they enter */
	const early = new Map<number, WindowRow[]>();
	let now = at;

	function toKind({ name, source, path, referrer }: WindowRow): Kind {
		// only page views are told apart by more than their name
		const isView = name === PAGE_VIEW;
		const page = isView ? (path ?? NO_PATH) : '';
		const from = isView ? (referrer ?? DIRECT) : '';
		const key = JSON.stringify([name, source, page, from]);
		const known = kinds.get(key);
		if (known) return known;
		if (kinds.size < maxKinds) return keep({ name, source, path: page, referrer: from, key });
		const one = { name: isView ? PAGE_VIEW : OTHERS, source, path: OTHERS, referrer: OTHERS };
		const others = JSON.stringify([one.name, source, OTHERS]);
		return kinds.get(others) ?? keep({ ...one, key: others });
	}

	function keep({ name, source, path, referrer, key }: Omit<Kind, 'rows'>): Kind {
		// written out: each object made by a spread and one property more gets a shape of its own, 250 bytes
		const kind = { name, source, path, referrer, rows: 0, key };
		kinds.set(kind.key, kind);
		return kind;
	}

	function count(kind: Kind, by: 1 | -1) {
		kind.rows += by;
		if (kind.rows === 0) kinds.delete(kind.key);
		for (const view of [all, viewOf(kind.source)]) {
			view.events += by;
			change(view.names, kind.name, by);
			if (kind.name !== PAGE_VIEW) continue;
			view.pageViews += by;
			change(view.pages, kind.path, by);
			change(view.referrers, kind.referrer, by);
		}
	}

	function countMinute(kind: Kind, by: 1 | -1) {
		all.lastMinute += by;
		viewOf(kind.source).lastMinute += by;
	}

	function viewOf(source: string): View {
		let view = views.get(source);
		if (!view) views.set(source, (view = createView()));
		return view;
	}

	function take(row: WindowRow) {
		if (row.createdAt <= now - COUNT_WINDOW_MS) return;
		const kind = toKind(row);
		cells.add(row.createdAt, kind);
		count(kind, 1);
		if (row.createdAt > now - RATE_WINDOW_MS) countMinute(kind, 1);
		if (row.sessionId === null) return;
		for (const view of [all, viewOf(row.source)])
			view.sessions.add(row.sessionId, row.createdAt, now);
	}

	return {
		add(row) {
			if (row.createdAt <= now) return take(row);
			const same = early.get(row.createdAt);
			if (same) same.push(row);
			else early.set(row.createdAt, [row]);
		},
		advance(at) {
			if (at <= now) return;
			// the minute first: the half hour empties its cells, which then stand for the time to come
			cells.visit(now - RATE_WINDOW_MS, Math.min(at - RATE_WINDOW_MS, now), (kind) =>
				countMinute(kind, -1),
			);
			cells.clear(now - COUNT_WINDOW_MS, Math.min(at - COUNT_WINDOW_MS, now), (kind) =>
				count(kind, -1),
			);
			now = at;
			all.sessions.advance(at);
			for (const [source, view] of views) {
				view.sessions.advance(at);
				if (view.events === 0 && view.sessions.size() === 0) views.delete(source);
			}
			for (const [time, rows] of early) {
				if (time > at) continue;
				early.delete(time);
				rows.forEach(take);
			}
		},
		totals(source = null) {
			const view = source === null ? all : views.get(source);
			return {
				pageViews: view?.pageViews ?? 0,
				activeSessions: view?.sessions.size() ?? 0,
				eventsCount: view?.events ?? 0,
				eventsPerMinute: view?.lastMinute ?? 0,
			};
		},
		tables(source = null) {
			const view = source === null ? all : views.get(source);
			const sources = [...views].map(([key, { events }]): [string, number] => [key, events]);
			return {
				pages: toTable(view?.pages ?? []),
				referrers: toTable(view?.referrers ?? []),
				names: toTable(view?.names ?? []),
				sources: toTable(sources),
			};
		},
		has: (source) => views.has(source),
		at: () => now,
	};
}

function createView(): View {
	return {
		events: 0,
		lastMinute: 0,
		pageViews: 0,
		names: new Map(),
		pages: new Map(),
		referrers: new Map(),
		sessions: createDistinct(SESSION_WINDOW_MS),
	};
}

function change(counts: Counts, key: string, by: 1 | -1) {
	const count = (counts.get(key) ?? 0) + by;
	if (count === 0) counts.delete(key);
	else counts.set(key, count);
}

/** The most frequent first, ties by name, so that rows do not swap places for nothing. */
function toTable(counts: Iterable<[string, number]>): Table {
	const rows: { key: string; count: number }[] = [];
	let sum = 0;
	for (const [key, count] of counts) {
		sum += count;
		if (count === 0 || key === OTHERS) continue;
		// a short sorted list beats sorting everything: there may be many thousand paths
		const last = rows[TABLE_LENGTH - 1];
		if (last && !isBefore(key, count, last)) continue;
		const place = rows.findIndex((row) => isBefore(key, count, row));
		rows.splice(place === -1 ? rows.length : place, 0, { key, count });
		rows.length = Math.min(rows.length, TABLE_LENGTH);
	}
	return { rows, other: rows.reduce((rest, { count }) => rest - count, sum) };
}

function isBefore(key: string, count: number, row: { key: string; count: number }): boolean {
	return count > row.count || (count === row.count && key < row.key);
}
