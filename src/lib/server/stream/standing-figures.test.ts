import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CHECK_MS, watchFigures } from './standing-figures';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a count that goes on is told once, and so is its end; a short one is not', () => {
	let isCounting = false;
	const told: boolean[] = [];
	const figures = watchFigures(
		() => isCounting,
		() => told.push(figures.stand()),
	);
	const look = (counting: boolean) => {
		isCounting = counting;
		vi.advanceTimersByTime(CHECK_MS);
	};
	for (const counting of [false, true, false, false]) look(counting);
	expect(told).toEqual([]);
	for (const counting of [true, true, true, true, false, false]) look(counting);
	expect(told).toEqual([true, false]);
	look(true);
	look(true);
	figures.stop();
	look(false);
	expect([told, figures.stand()]).toEqual([[true, false, true], true]);
});
