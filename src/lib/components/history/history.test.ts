import { describe, expect, test } from 'vitest';
import type { History, HistoryPoint, HistoryRange } from '../../history';
import { toBuckets, toHistoryLine, toMarks, toNotes, toReading, toSpan } from './history';

const HOUR_MS = 3_600_000;
const berlin = { locale: 'en-GB', timeZone: 'Europe/Berlin' };

const toPoint = (at: number, value: number | null): HistoryPoint => ({
	at: new Date(at).toISOString(),
	pageViews: value,
	eventsCount: value,
	activeSessions: null,
});
/** Buckets of `stepMs` up to `to`. */
function toHistory(
	range: HistoryRange,
	to: string,
	count: number,
	stepMs: number,
	more: Partial<History> = {},
): History {
	const end = Date.parse(to);
	const points = Array.from({ length: count }, (_, i) => toPoint(end - (count - i) * stepMs, i));
	return {
		range,
		filter: [],
		zone: berlin.timeZone,
		from: points[0]?.at ?? to,
		to,
		at: to,
		begins: '2020-01-01T00:00:00.000Z',
		through: to,
		tables: {},
		totals: toPoint(0, 1),
		previousTotals: null,
		points,
		previous: [],
		...more,
	};
}

describe('the line', () => {
	const points = [1, null, 3, 4].map((value, i) => toPoint(i * 10, value));

	test('goes through the middles; of a bucket that is running, through that of what has passed', () => {
		const line = toHistoryLine(toBuckets(points, new Date(40).toISOString()), 'eventsCount', 34);
		expect(line).toEqual([
			{ at: 5, value: 1 },
			{ at: 15, value: null },
			{ at: 25, value: 3 },
			{ at: 32, value: 4 },
		]);
	});
});

describe('the time axis is the viewer’s clock', () => {
	test('a day: every sixth hour, also on the night when the clocks go back', () => {
		const history = toHistory('24h', '2026-10-25T12:00:00.000Z', 96, HOUR_MS / 4);
		const marks = toMarks(history, berlin);
		expect(marks.map(({ text }) => text)).toEqual(['18:00', '00:00', '06:00', '12:00']);
		const gaps = marks.slice(1).map(({ at }, i) => (at - (marks[i]?.at ?? 0)) / HOUR_MS);
		expect(gaps).toEqual([6, 7, 6]);
	});
	test('a week: where a day begins', () => {
		const marks = toMarks(toHistory('7d', '2026-10-28T10:00:00.000Z', 168, HOUR_MS), berlin);
		expect(marks.map(({ at }) => new Date(at).toISOString().slice(5, 16))).toEqual([
			'10-21T22:00',
			'10-22T22:00',
			'10-23T22:00',
			'10-24T22:00',
			'10-25T23:00',
			'10-26T23:00',
			'10-27T23:00',
		]);
	});
	test('half an hour: every ten minutes', () => {
		const marks = toMarks(toHistory('30min', '2026-10-28T10:05:00.000Z', 30, 60_000), berlin);
		expect(marks.map(({ text }) => text)).toEqual(['10:40', '10:50', '11:00']);
	});
	test('ninety days: every second week', () => {
		const marks = toMarks(toHistory('90d', '2026-06-30T22:00:00.000Z', 90, 24 * HOUR_MS), berlin);
		expect(marks.map(({ text }) => text)).toEqual([
			'14 Apr',
			'28 Apr',
			'12 May',
			'26 May',
			'9 Jun',
			'23 Jun',
		]);
	});
});

test('a bucket in words', () => {
	const at = Date.parse('2026-11-24T13:00:00Z');
	expect([
		toSpan('30min', at, at + 60_000, berlin),
		toSpan('7d', at, at + HOUR_MS, berlin),
		toSpan('90d', at, at + 24 * HOUR_MS, berlin),
		toReading(1204, 980, 'events', '7d', berlin),
		toReading(null, null, 'events', '7d', berlin),
	]).toEqual([
		'14:00',
		'Tue 24 Nov, 14:00–15:00',
		'Tue 24 Nov',
		'1,204 events, 980 in the 7 days before',
		'not known',
	]);
});

describe('what must be known beside it', () => {
	const to = '2026-11-24T13:00:00.000Z';
	const note = (more: Partial<History>, key: 'eventsCount' | 'activeSessions' = 'eventsCount') =>
		toNotes(toHistory('7d', to, 168, HOUR_MS, more), key, berlin);
	test.each([
		['nothing, when it is whole', {}, []],
		[
			'where it begins',
			{ begins: '2026-11-20T12:00:00.000Z' },
			['History begins on Fri 20 Nov, 13:00.'],
		],
		['nothing yet', { begins: null }, ['History begins with the first minute that is counted.']],
		[
			'counting is late',
			{ through: '2026-11-24T12:00:00.000Z' },
			['Counted up to Tue 24 Nov, 13:00.'],
		],
	] as const)('%s', (_, more, notes) => {
		expect(note(more)).toEqual(notes);
	});
	test('a gap, but not what lies before the beginning', () => {
		const points = [null, 1, null].map((value, i) =>
			toPoint(Date.parse(to) - (3 - i) * HOUR_MS, value),
		);
		expect(note({ points })).toEqual(['Where the line is broken, nothing was running.']);
		expect(note({ points: points.slice(0, 2), begins: points[1]?.at ?? null })).toEqual([
			'History begins on Tue 24 Nov, 12:00.',
		]);
	});
	test('sessions under a filter', () => {
		expect(note({ filter: ['source:shop'] }, 'activeSessions')).toEqual([
			'Active sessions are recorded without a filter: there is no history of a part.',
		]);
	});
});
