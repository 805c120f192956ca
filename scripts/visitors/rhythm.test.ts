import { expect, test } from 'vitest';
import { createRandom } from './random';
import { createRhythm, MAX_FACTOR, type Moment } from './rhythm';

const SECOND_MS = 1000;
const DAY_S = 24 * 60 * 60;

/** Every second of a day that begins at midnight. */
function day(seed: number): Moment[] {
	const rhythm = createRhythm(createRandom(seed), 0);
	return Array.from({ length: DAY_S }, (_, second) => rhythm(second * SECOND_MS));
}

const mean = (moments: Moment[]) =>
	moments.reduce((sum, { factor }) => sum + factor, 0) / moments.length;

test('over a day it is as busy as on average, at night less than half as much as at ten', () => {
	for (const seed of [1, 2, 3]) {
		const moments = day(seed);
		const hour = (at: number) => mean(moments.slice(at * 3600, (at + 2) * 3600));
		expect(Math.abs(mean(moments) - 1)).toBeLessThan(0.1);
		expect(hour(3) / hour(10)).toBeLessThan(0.5);
	}
});

test('crowds come and ebb away, and there are quiet spells', () => {
	const noon = day(1).slice(11 * 3600, 13 * 3600);
	const peak = Math.max(...noon.map(({ factor }) => factor));
	expect(peak).toBeGreaterThan(2.5);
	expect(peak).toBeLessThanOrEqual(MAX_FACTOR);
	expect(Math.min(...noon.map(({ factor }) => factor))).toBeLessThan(0.4);
	const from = new Set(
		noon.flatMap(({ crowd }) => crowd?.arrival.utm_source ?? crowd?.arrival.referrer ?? []),
	);
	expect([...from].sort()).toEqual(['https://news.ycombinator.com/', 'newsletter']);
	for (const [at, { factor, crowd }] of noon.entries()) {
		if (crowd && noon[at - 1]?.crowd) expect(factor).toBeLessThan(noon[at - 1]!.factor);
	}
});
