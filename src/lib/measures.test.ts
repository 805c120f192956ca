import { expect, test } from 'vitest';
import { toMeasures } from './measures';

test('sums decimals exactly, and a percentile is one of the values', () => {
	const counts = [
		['0.1', 3],
		['-2', 1],
		['7', 16],
		['text', 5],
		['1e9', 1],
	] as const;
	expect(toMeasures(counts)).toEqual({
		...{ count: 20, sum: 110.3, avg: 5.515, min: -2, max: 7, p50: 7, p95: 7 },
	});
	expect(toMeasures([['0.1', 3]])?.sum).toBe(0.3);
	expect(toMeasures([['-0.05', 3]])?.sum).toBe(-0.15);
});

test('(control) doubles do not sum up', () => {
	expect(0.1 + 0.1 + 0.1).toBe(0.30000000000000004);
});

test.each([
	[[['pro', 2]], null],
	[[], null],
	[[['5', 1]], 5],
] as [[string, number][], number | null][])('of %j the median is %j', (counts, median) => {
	expect(toMeasures(counts)?.p50 ?? null).toBe(median);
});
