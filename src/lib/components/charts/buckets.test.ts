import { expect, test } from 'vitest';
import { toBuckets, toLines } from './buckets';

const toPoint = (at: number, events: number) => ({ at, events, pageViews: 0, sessions: 1 });

test('there are thirty buckets, and the last one is running', () => {
	const buckets = toBuckets([toPoint(0, 1)], 'events', 2_000, 59_999);
	expect(buckets).toHaveLength(30);
	expect(buckets[0]).toEqual({ from: 0, to: 2_000, value: 1 });
	expect(buckets.at(-1)).toEqual({ from: 58_000, to: 60_000, value: 0 });
});

test('a missing bucket is 0, and one before the first known bucket is not known', () => {
	const values = toBuckets([toPoint(54_000, 3), toPoint(58_000, 5)], 'events', 2_000, 58_001).map(
		({ value }) => value,
	);
	expect(values.slice(-4)).toEqual([null, 3, 0, 5]);
	expect(toBuckets([], 'events', 2_000, 58_001).every(({ value }) => value === null)).toBe(true);
});

test('a bucket of the server that the page clock has not reached yet is shown', () => {
	const buckets = toBuckets([toPoint(0, 1), toPoint(60_000, 9)], 'sessions', 60_000, 59_900);
	expect(buckets.at(-1)).toEqual({ from: 60_000, to: 120_000, value: 1 });
});

test('the running bucket is a line of its own, carried on to where time will be', () => {
	const buckets = [
		{ from: 0, to: 10, value: 4 },
		{ from: 10, to: 20, value: 6 },
		{ from: 20, to: 30, value: 1 },
	];
	expect(toLines(buckets, { at: 22, value: 1 }, 50)).toEqual([
		{
			kind: 'ink',
			points: [
				{ at: 5, value: 4 },
				{ at: 15, value: 6 },
			],
		},
		{
			kind: 'unfinished',
			points: [
				{ at: 15, value: 6 },
				{ at: 22, value: 1 },
				{ at: 50, value: 1 },
			],
		},
	]);
});
