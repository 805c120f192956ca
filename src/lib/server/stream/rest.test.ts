import { expect, test } from 'vitest';
import { MAX_REST_MS, toRestMs } from './rest';

test.each([
	['one event: the next may come soon', [1, 4, 1, 100], 20],
	['many events: a whole interval', [10, 4, 1, 100], 100],
	[
		'a drain that works long: less, because the next event waits for two of them',
		[10, 31, 1, 100],
		50,
	],
	['but not too little', [10, 90, 1, 100], 40],
	['many clients: twice as long as their frames took', [10, 95, 90, 100], 180],
	['the machine slept during the broadcast', [1, 60_000, 60_000, 100], MAX_REST_MS],
	['what was read has rested elsewhere', [10, 30, 4, 0], 8],
] as const)('%s', (_, [events, drainMs, busyMs, intervalMs], ms) => {
	expect(toRestMs(events, drainMs, busyMs, intervalMs)).toBeCloseTo(ms, 6);
});
