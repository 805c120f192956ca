import { expect, test } from 'vitest';
import { FEED_LENGTH, type Ping, type SeriesPoint } from '../protocol';
import {
	ARRIVALS_MS,
	MAX_ARRIVALS,
	MAX_LIVE_ROWS,
	toDashboard,
	withActivity,
	withMetrics,
	withPing,
	withReset,
} from './board';
import {
	START,
	toEvent,
	toFigures,
	toMetrics,
	toState,
	toTables,
	toTick,
	toTime,
	toTotals,
} from './testing/fixtures';

const toActivity = (ids: number[], ms: number, count = ids.length, omitted = 0) => ({
	events: ids.map((id) => toEvent(id, ms)),
	omitted,
	...toFigures(ms, count),
});
const range = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('what arrives stands first, newest first, and is marked as new', () => {
	const before = toDashboard(toState({ events: [toEvent(1)] }));
	const after = withActivity(before, toActivity([2, 3], 50), 'e-3', 777);
	expect(after.events.map(({ id }) => id)).toEqual([3, 2, 1]);
	expect([...after.arrivedAt]).toEqual([
		[3, 777],
		[2, 777],
	]);
	expect(after).toMatchObject({ cursor: 'e-3', totals: toTotals(2), at: toTime(50) });
});

test('feed, marks and rug stay bounded however much arrives', () => {
	let board = toDashboard(toState());
	for (let i = 0; i < 6; i++)
		board = withActivity(board, toActivity(range(i * 1_000, i * 1_000 + 999), 50), null, i);
	expect([board.events.length, board.arrivedAt.size, board.arrivals.length]).toEqual([
		MAX_LIVE_ROWS,
		FEED_LENGTH,
		MAX_ARRIVALS,
	]);
	expect([board.events[0]?.id, board.arrivals.at(-1)?.id]).toEqual([5_999, 5_999]);
	// what a frame leaves out would be a gap below its rows: the list starts over there
	board = withActivity(board, toActivity(range(9_000, 9_099), 50, 200, 100), null, 9);
	expect(board.events.map(({ id }) => id)).toEqual(range(9_000, 9_099).reverse());
	board = withActivity(board, toActivity([9_100], 50, 2, 1), null, 9);
	expect(board.events).toHaveLength(101);
});

test('what a frame leaves out is counted until the next reset', () => {
	let board = toDashboard(toState());
	board = withActivity(board, toActivity([1], 1, 9, 8), 'e-1', 0);
	board = withActivity(board, toActivity([2], 2, 13, 3), 'e-2', 0);
	expect(board.omitted).toBe(11);
	expect(withReset(board, toState()).omitted).toBe(0);
});

test('totals never go back in time, whichever frame comes late', () => {
	let board = toDashboard(toState());
	const seen: number[] = [];
	const see = (next: typeof board) => seen.push((board = next).totals.eventsCount);
	see(withActivity(board, toActivity([1], 100, 1), 'e-1', 0));
	see(withMetrics(board, toMetrics(90, 0)));
	see(withMetrics(board, toMetrics(110, 2)));
	see(withActivity(board, toActivity([3], 105, 7), 'e-3', 0));
	see(withMetrics(board, toMetrics(110, 3)));
	expect(seen).toEqual([1, 1, 2, 2, 3]);
	expect(board.events.map(({ id }) => id)).toEqual([3, 1]);
	expect(board.tables).toEqual(toTables(3));
});

test('a reset replaces everything, even by an older time, and keeps what only the page knows', () => {
	let board = toDashboard(toState({ events: [toEvent(9)] }));
	board = withActivity(board, toActivity([10], 500, 5), 'e-10', 1);
	board = { ...board, delayMs: 12, clockOffsetMs: -40, database: 'down', reading: 'full' };
	const state = toState({ cursor: 'f-1', at: toTime(-900), events: [toEvent(1, -1_000)] });
	expect(withReset(board, state)).toEqual({
		...state,
		arrivedAt: new Map(),
		received: 1,
		omitted: 0,
		arrivals: [{ id: 1, at: START - 1_000 }],
		delayMs: 12,
		clockOffsetMs: -40,
		database: 'down',
		listener: 'up',
		reading: 'full',
		writing: null,
		fix: null,
		counting: false,
		resets: 1,
	});
});

test('the chart takes the buckets that have changed, in order, and keeps the newest thirty', () => {
	const point = (minute: number, events: number) => ({
		...{ at: START + minute * 60_000, events, pageViews: 0, sessions: 0 },
	});
	const of = (...minutes: SeriesPoint[]) => ({ series: { minutes, seconds: [] } });
	let board = toDashboard(toState(of(point(0, 1), point(1, 2))));
	board = withMetrics(board, toMetrics(6_000, 3, of(point(2, 1), point(1, 3))));
	expect(board.series.minutes).toEqual([point(0, 1), point(1, 3), point(2, 1)]);
	for (let i = 3; i < 40; i++) board = withMetrics(board, toMetrics(i * 2_000, i, of(point(i, i))));
	expect(board.series.minutes).toHaveLength(30);
	expect(board.series.minutes.at(-1)).toEqual(point(39, 39));
});

test('a frame without figures moves the time and the cursor, and nothing else', () => {
	const before = toDashboard(toState({ ...toFigures(0, 5) }));
	const after = withActivity(before, { at: toTime(50), events: [], omitted: 0 }, 'e-2', 0);
	expect(after).toEqual({ ...before, at: toTime(50), cursor: 'e-2' });
});

test('a late tick does not change what the figures are compared with', () => {
	let board = toDashboard(toState());
	board = withMetrics(board, toMetrics(4_000, 0, { previous: toTick(2) }));
	board = withMetrics(board, toMetrics(2_000, 0, { previous: toTick(1) }));
	expect(board.previous).toEqual(toTick(2));
});

const PING: Ping = {
	now: toTime(0),
	database: 'up',
	listener: 'deaf',
	reading: null,
	writing: null,
};

test('the rug forgets what is older than its minute, also when nothing arrives', () => {
	const board = withActivity(toDashboard(toState()), toActivity([1], 0), 'e-1', 0);
	const ping = (ms: number) => withPing(board, { ...PING, now: toTime(ms) });
	expect([ping(ARRIVALS_MS - 1).arrivals.length, ping(ARRIVALS_MS).arrivals.length]).toEqual([
		1, 0,
	]);
	expect(ping(1).listener).toBe('deaf');
	const counting = withPing(board, { ...PING, counting: true });
	expect([counting.counting, withPing(counting, PING).counting]).toEqual([true, false]);
});
