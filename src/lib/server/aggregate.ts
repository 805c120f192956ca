/**
 * The figures on the cards, kept in memory as sliding windows over the rows a cursor has seen.
 * A figure is a function of (rows added, time `at`): windows are `at − w < createdAt ≤ at`, exact to the millisecond,
 * so SQL over the same rows gives the same number. It knows neither the database nor a clock.
 * The cost of moving the time is that of the milliseconds passed, never of the events inside the window.
 */
import {
	COUNT_WINDOW_MS,
	PAGE_VIEW,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	type Totals,
} from '../protocol';
import type { WindowRow } from './rows';

export type Aggregator = {
	/** Counts a row, late or early ones included: one from the future enters when its time comes. */
	add(row: WindowRow): void;
	/** Moves the time forward, ms since 1970; an earlier time than the present one is ignored. */
	advance(at: number): void;
	/** The figures at `at()`. */
	totals(): Totals;
	at(): number;
};

/** @param at database time to begin with, ms since 1970 */
export function createAggregator(at: number): Aggregator {
	const events = createCounter([COUNT_WINDOW_MS, RATE_WINDOW_MS], at);
	const views = createCounter([COUNT_WINDOW_MS], at);
	const sessions = createDistinct(SESSION_WINDOW_MS);
	/** rows from the future, by the millisecond at which they enter */
	const early = new Map<number, WindowRow[]>();
	let now = at;

	function count(row: WindowRow) {
		events.add(row.createdAt);
		if (row.name === PAGE_VIEW) views.add(row.createdAt);
		if (row.sessionId !== null) sessions.add(row.sessionId, row.createdAt, now);
	}

	return {
		add(row) {
			if (row.createdAt <= now) return count(row);
			const same = early.get(row.createdAt);
			if (same) same.push(row);
			else early.set(row.createdAt, [row]);
		},
		advance(at) {
			if (at <= now) return;
			now = at;
			events.advance(at);
			views.advance(at);
			sessions.advance(at);
			for (const [time, rows] of early) {
				if (time > at) continue;
				early.delete(time);
				rows.forEach(count);
			}
		},
		totals: () => ({
			pageViews: views.sum(0),
			activeSessions: sessions.size(),
			eventsCount: events.sum(0),
			eventsPerMinute: events.sum(1),
		}),
		at: () => now,
	};
}

/**
 * Counts in windows that end at the same time, the widest first, one cell a millisecond.
 * Cell `t mod widest` belongs to exactly one t inside the widest window.
 */
function createCounter(windows: [number, ...number[]], at: number) {
	const [widest] = windows;
	const cells = new Uint32Array(widest);
	const sums = windows.map(() => 0);
	let now = at;

	/** takes the cells of (from, to] out of the sum of one window; the widest gives its cells free */
	function leave(window: number, from: number, to: number) {
		let gone = 0;
		for (let t = from + 1; t <= to; t++) {
			gone += cells[t % widest] as number;
			if (window === 0) cells[t % widest] = 0;
		}
		sums[window] = (sums[window] as number) - gone;
	}

	return {
		add(time: number) {
			if (time <= now - widest || time > now) return;
			cells[time % widest] = (cells[time % widest] as number) + 1;
			windows.forEach((width, i) => {
				if (time > now - width) sums[i] = (sums[i] as number) + 1;
			});
		},
		advance(to: number) {
			if (to - now >= widest) {
				cells.fill(0);
				sums.fill(0);
			} else {
				// narrow windows first: the widest clears the cells it leaves, which are those of the time to come
				for (let i = windows.length - 1; i >= 0; i--) {
					const width = windows[i] as number;
					leave(i, now - width, Math.min(to - width, now));
				}
			}
			now = to;
		},
		sum: (window: number) => sums[window] as number,
	};
}

/**
 * Distinct keys seen in the last `width` ms. Each key waits in the bucket of one second; when the second leaves the
 * window the key is dropped, or, seen again meanwhile, moved to the bucket of its newest time.
 */
function createDistinct(width: number) {
	const newest = new Map<string, number>();
	const buckets = new Map<number, string[]>();
	let oldest = Number.POSITIVE_INFINITY;

	function wait(key: string, time: number) {
		const second = Math.floor(time / 1000);
		const bucket = buckets.get(second);
		if (bucket) bucket.push(key);
		else buckets.set(second, [key]);
		oldest = Math.min(oldest, second);
	}

	return {
		add(key: string, time: number, now: number) {
			if (time <= now - width) return;
			const known = newest.get(key);
			if (known === undefined) wait(key, time);
			if (known === undefined || time > known) newest.set(key, time);
		},
		advance(now: number) {
			const limit = now - width;
			const last = Math.floor(limit / 1000);
			const first = oldest;
			// the second that holds the limit leaves in part: it is visited again next time
			oldest = Math.max(oldest, last);
			for (let second = first; second <= last; second++) {
				const bucket = buckets.get(second);
				if (!bucket) continue;
				buckets.delete(second);
				for (const key of bucket) {
					const time = newest.get(key) as number;
					if (time <= limit) newest.delete(key);
					else wait(key, time);
				}
			}
		},
		size: () => newest.size,
	};
}
