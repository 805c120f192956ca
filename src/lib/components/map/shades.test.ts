import { expect, test } from 'vitest';
import { toShade, toSteps } from './shades';

test.each([
	[0, []],
	[1, [1]],
	[3, [1, 2, 3]],
	[5, [1, 2, 3, 4]],
	[10_000, [1, 10, 100, 1_000]],
])('counts up to %i have steps from %j', (most, steps) => {
	expect(toSteps(most)).toEqual(steps);
});

test('a country without an event has no shade, and the most frequent one the last', () => {
	const steps = toSteps(10_000);
	expect([0, 1, 9, 10, 10_000].map((count) => toShade(count, steps))).toEqual([0, 1, 1, 2, 4]);
});
