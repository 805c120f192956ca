import { expect, test } from 'vitest';
import { DELAY_WINDOW_MS, MAX_SAMPLES, createDelay } from './delay';

test('the median of the last minute, and none without samples', () => {
	const delay = createDelay();
	const seen = [delay.median(0)];
	for (const [at, ms] of [
		[0, 90],
		[10, 10],
		[20, 20],
		[30, 30],
	] as const) {
		delay.add(at, ms);
		seen.push(delay.median(at));
	}
	seen.push(delay.median(DELAY_WINDOW_MS), delay.median(DELAY_WINDOW_MS + 30));
	expect(seen).toEqual([null, 90, 50, 20, 25, 20, null]);
});

test('a delay below zero counts as zero, and old samples make room', () => {
	const delay = createDelay();
	delay.add(0, -5);
	expect(delay.median(0)).toBe(0);
	for (let i = 0; i < MAX_SAMPLES; i++) delay.add(1, 7);
	expect(delay.median(1)).toBe(7);
});
