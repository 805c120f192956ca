import fc from '../../../tests/setup/fast-check';
import { expect, test } from 'vitest';
import { FIRST_DELAY_MS, MAX_DELAY_MS, toDelay } from './backoff';

test('the wait doubles from one second to thirty', () => {
	expect([0, 1, 2, 3, 4, 5, 6, 50, 2_000].map((attempt) => toDelay(attempt, 1))).toEqual([
		1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000,
	]);
});

test('chance shortens a wait by up to three tenths', () => {
	expect([0, 0.5, 1].map((random) => Math.round(toDelay(0, random)))).toEqual([700, 850, 1_000]);
});

test('a wait is never shorter than 0.7 s, longer than 30 s, or shorter than the one before by chance alone allows', () => {
	fc.assert(
		fc.property(
			fc.nat(5_000),
			fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
			(attempt, random) => {
				const delay = toDelay(attempt, random);
				expect(delay).toBeGreaterThanOrEqual(0.7 * FIRST_DELAY_MS);
				expect(delay).toBeLessThan(MAX_DELAY_MS);
				expect(toDelay(attempt + 1, random)).toBeGreaterThanOrEqual(delay);
			},
		),
	);
});
