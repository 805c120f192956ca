import { expect, test } from 'vitest';
import { FEED_LENGTH, type SeriesPoint } from '../protocol';
import {
	ARRIVALS_MS,
	MAX_ARRIVALS,
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
	for (let i = 0; i < 5; i++)
		board = withActivity(board, toActivity(range(i * 1_000, i * 1_000 + 999), 50), null, i);
	expect([board.events.length, board.arrivedAt.size, board.arrivals.length]).toEqual([
		FEED_LENGTH,
		FEED_LENGTH,
		MAX_ARRIVALS,
	]);
	expect([board.events[0]?.id, board.arrivals.at(-1)?.id]).toEqual([4_999, 4_999]);
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
		omitted: 0,
		arrivals: [{ id: 1, at: START - 1_000 }],
		delayMs: 12,
		clockOffsetMs: -40,
		database: 'down',
		listener: 'up',
		reading: 'full',
		writing: null,
		fix: null,
		resets: 1,
	});
});

test('ticks are in order, once each, and the newest are kept', () => {
	let board = toDashboard(toState({ series: [toTick(0), toTick(2_000)] }));
	board = withMetrics(
		board,
		toMetrics(6_000, 3, {
			previous: toTick(-9, 1),
			series: [toTick(2_000, 1), toTick(4_000, 2), toTick(6_000, 3)],
		}),
	);
	expect(board.series).toEqual([toTick(0), toTick(2_000, 1), toTick(4_000, 2), toTick(6_000, 3)]);
	for (let i = 4; i < 40; i++) board = withMetrics(board, toMetrics(i * 2_000, i));
	expect(board.series).toHaveLength(SERIES_LENGTH);
	expect(board.series.at(-1)).toEqual(toTick(78_000, 39));
});

test('a late tick does not change what the figures are compared with', () => {
	let board = toDashboard(toState());
	board = withMetrics(board, toMetrics(4_000, 0, { previous: toTick(2) }));
	board = withMetrics(board, toMetrics(2_000, 0, { previous: toTick(1) }));
	expect(board.previous).toEqual(toTick(2));
});

test('the rug forgets what is older than its minute, also when nothing arrives', () => {
	const board = withActivity(toDashboard(toState()), toActivity([1], 0), 'e-1', 0);
	const ping = (ms: number) =>
		withPing(board, {
			now: toTime(ms),
			database: 'up',
			listener: 'deaf',
			reading: null,
			writing: null,
		});
	expect([ping(ARRIVALS_MS - 1).arrivals.length, ping(ARRIVALS_MS).arrivals.length]).toEqual([
		1, 0,
	]);
	expect(ping(1).listener).toBe('deaf');
});
