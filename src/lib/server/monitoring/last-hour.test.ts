import { expect, test } from 'vitest';
import { createLastHour, MINUTE_MS, MINUTES, type Reading } from './last-hour';

const START = Date.parse('2026-03-14T09:26:10Z');
const well: Reading = { state: 'fine', clients: 0, events: 0, rejected: 0, lateMs: 0 };

function toHour() {
	let now = START;
	let reading = well;
	const hour = createLastHour(() => now);
	return {
		hour,
		pass: (ms: number) => (now += ms),
		see(change: Partial<Reading>) {
			reading = { ...reading, ...change };
			hour.sample(reading);
		},
	};
}

test('a minute is as bad as its worst second, and has what came in it', () => {
	const { hour, pass, see } = toHour();
	see({ state: 'starting', events: 3 });
	see({ state: 'fine', clients: 2, events: 10, lateMs: 4 });
	see({ state: 'broken', clients: 5, rejected: 7 });
	see({ state: 'fine', clients: 1, lateMs: 1 });
	pass(MINUTE_MS);
	see({ events: 11 });
	expect(hour.minutes()).toEqual([
		{
			at: '2026-03-14T09:26:00.000Z',
			state: 'broken',
			p50Ms: null,
			p99Ms: null,
			clients: 5,
			events: 10,
			rejected: 7,
			lateMs: 4,
		},
		{
			at: '2026-03-14T09:27:00.000Z',
			state: 'fine',
			p50Ms: null,
			p99Ms: null,
			clients: 1,
			events: 1,
			rejected: 0,
			lateMs: 1,
		},
	]);
});

test('quantiles are delays that were seen, of their minute alone', () => {
	const { hour, pass } = toHour();
	for (let ms = 100; ms >= 1; ms--) hour.delay(ms);
	pass(MINUTE_MS);
	hour.delay(7);
	expect(hour.minutes().map(({ p50Ms, p99Ms }) => [p50Ms, p99Ms])).toEqual([
		[50, 99],
		[7, 7],
	]);
});

test('an hour is kept and no more; what slept through has no minutes', () => {
	const { hour, pass, see } = toHour();
	for (let i = 0; i < 100; i++) {
		see({ events: i });
		pass(MINUTE_MS);
	}
	expect(hour.minutes().length).toBeLessThanOrEqual(MINUTES);
	pass(30 * MINUTE_MS);
	see({});
	expect(hour.minutes()).toHaveLength(30);
	pass(3 * 60 * MINUTE_MS);
	expect(hour.minutes()).toEqual([]);
});
