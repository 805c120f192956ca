import { expect, test } from 'vitest';
import { createRandom } from './random';
import { createRhythm, steady } from './rhythm';
import { createVisitors, WARM_UP_MS, type Timed } from './visitors';

const RATE_PER_S = 3;
const HOUR_MS = 60 * 60_000;

function watch(seed: number, count: number, startHour = 10): Timed[] {
	const random = createRandom(seed);
	const rhythm = createRhythm(random, startHour);
	const next = createVisitors(random, { ratePerS: RATE_PER_S, rhythm, warmUpMs: WARM_UP_MS });
	return Array.from({ length: count }, next);
}

/** Events in each minute of the first hour. */
function minutes(seed: number, startHour: number): number[] {
	const counts = Array<number>(60).fill(0);
	for (const { atMs } of watch(seed, 40_000, startHour)) {
		if (atMs < HOUR_MS) counts[Math.floor(atMs / 60_000)]!++;
	}
	return counts;
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

test('the same seed gives the same events with the same gaps, another seed others', () => {
	expect(watch(7, 3_000)).toEqual(watch(7, 3_000));
	expect(watch(7, 3_000)).not.toEqual(watch(8, 3_000));
});

test('time goes forward, from the start on', () => {
	const times = watch(1, 5_000).map(({ atMs }) => atMs);
	expect(times[0]).toBeGreaterThanOrEqual(0);
	expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('there are as many events as asked for, from the first minute on', () => {
	const next = createVisitors(createRandom(5), {
		ratePerS: RATE_PER_S,
		rhythm: steady,
		warmUpMs: WARM_UP_MS,
	});
	const counts = Array<number>(60).fill(0);
	for (let one = next(); one.atMs < HOUR_MS; one = next()) {
		counts[Math.floor(one.atMs / 60_000)]!++;
	}
	expect(sum(counts) / 3600 / RATE_PER_S).toBeCloseTo(1, 1);
	expect(counts[0]! / 60 / RATE_PER_S).toBeGreaterThan(0.7);
});

test('the hour of the day, crowds and quiet show in the counts', () => {
	const [morning, night] = [minutes(1, 10), minutes(1, 3)];
	expect(sum(night) / sum(morning)).toBeLessThan(0.5);
	expect(Math.max(...morning) / Math.min(...morning)).toBeGreaterThan(2);
});

test('they come from many places, from a search most often, and many type the address', () => {
	const counts = new Map<string, number>();
	const firsts = new Map(
		watch(3, 20_000)
			.reverse()
			.map(({ event }) => [event.sessionId, event]),
	);
	for (const { properties } of firsts.values()) {
		const { referrer, utm_source } = properties;
		const from = referrer ? new URL(String(referrer)).hostname : String(utm_source ?? 'direct');
		counts.set(from, (counts.get(from) ?? 0) + 1);
	}
	const ranked = [...counts].sort(([, a], [, b]) => b - a).map(([from]) => from);
	expect(ranked.slice(0, 2).sort()).toEqual(['direct', 'www.google.com']);
	expect(ranked.length).toBeGreaterThanOrEqual(9);
});
