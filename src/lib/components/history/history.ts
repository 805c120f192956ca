/** What a range of history is called, and its numbers as a drawing. Pure. */
import { isolate, toClock, toCount, toDate, toTime, type Look } from '../../format';
import type { History, HistoryPoint, HistoryRange } from '../../history';
import type { Mark, Point } from '../charts/scale';

/** A range instead of the present. `history`: null until it has arrived; `problem`: why it could not be read again. */
export type Past = { range: HistoryRange; history: History | null; problem: string | null };

/** What of history is drawn. */
export type HistoryKey = 'pageViews' | 'activeSessions' | 'eventsCount';

export const RANGE_WORDS: Record<
	HistoryRange,
	{ name: string; before: string; bucket: string; each: string }
> = {
	'30min': { name: '30 min', before: 'the 30 min before', bucket: 'minute', each: 'per minute' },
	'24h': { name: '24 h', before: 'the 24 h before', bucket: '15 minutes', each: 'per 15 minutes' },
	'7d': { name: '7 days', before: 'the 7 days before', bucket: 'hour', each: 'per hour' },
	'90d': { name: '90 days', before: 'the 90 days before', bucket: 'day', each: 'per day' },
};

const MINUTE_MS = 60_000;

/** Begins and ends of the buckets in ms; the last one ends at `to`. */
export function toBuckets(
	points: readonly HistoryPoint[],
	to: string,
): { from: number; to: number; point: HistoryPoint }[] {
	return points.map((point, i) => ({
		from: Date.parse(point.at),
		to: Date.parse(points[i + 1]?.at ?? to),
		point,
	}));
}

/**
 * The line through the middles of the buckets, and what of it leads to the bucket that is still running. A bucket that is not
 * known lifts the pen.
 * @param until the present: a bucket that is still running has come so far
 * @param shiftMs added to each time: the period before lies behind the present one
 */
export function toHistoryLine(
	buckets: ReturnType<typeof toBuckets>,
	key: HistoryKey,
	until = Infinity,
	shiftMs = 0,
): Point[] {
	return buckets.map(({ from, to, point }) => ({
		at: (from + Math.min(to, until)) / 2 + shiftMs,
		value: point[key],
	}));
}

/** Where the time axis is written on: round times of the viewer's own clock. */
export function toMarks({ range, points }: History, look: Look): Mark[] {
	const times = points.map(({ at }) => Date.parse(at));
	if (range === '30min')
		return times
			.filter((at) => (at / MINUTE_MS) % 10 === 0)
			.map((at) => ({ at, text: toTime(at, look) }));
	if (range === '24h')
		return times
			.filter((at) => {
				const { hour, minute } = toClock(at, look);
				return minute === 0 && hour % 6 === 0;
			})
			.map((at) => ({ at, text: toTime(at, look) }));
	if (range === '7d')
		return times
			.filter((at, i) => i > 0 && toDate(at, look) !== toDate(times[i - 1] as number, look))
			.map((at) => ({ at, text: toDate(at, look) }));
	return times
		.filter((_, i) => (times.length - 1 - i) % 14 === 7)
		.map((at) => ({ at, text: toDate(at, look, false) }));
}

/** "Tue, 24 Nov, 14:00–15:00", shorter where the range is. */
export function toSpan(range: HistoryRange, from: number, to: number, look: Look): string {
	if (range === '30min') return toTime(from, look);
	if (range === '90d') return toDate(from, look);
	const date = isolate(toDate(from, look));
	return `${date}, ${isolate(toTime(from, look))}–${isolate(toTime(to, look))}`;
}

/** One bucket beside that of the period before, in words: "1,204 events, 980 the 7 days before". */
export function toReading(
	value: number | null,
	before: number | null,
	unit: string,
	range: HistoryRange,
	look: Look,
): string {
	const now = value === null ? 'not known' : `${toCount(value, look)} ${unit}`;
	const then = before === null ? '' : `, ${toCount(before, look)} in ${RANGE_WORDS[range].before}`;
	return now + then;
}

/** Later than this, and the page says how far history has been counted. */
const LATE_MS = 2 * MINUTE_MS;

/** What must be known to read this history rightly: a sentence each, none when it is whole. */
export function toNotes(history: History, key: HistoryKey, look: Look): string[] {
	const { begins, from, at, through, filter, points } = history;
	const moment = (time: string) => {
		const ms = Date.parse(time);
		return `${isolate(toDate(ms, look))}, ${isolate(toTime(ms, look))}`;
	};
	if (begins === null) return ['History begins with the first minute that is counted.'];
	const notes: string[] = [];
	if (filter.length > 0 && key === 'activeSessions')
		notes.push('Active sessions are recorded without a filter: there is no history of a part.');
	else if (
		points.some((point) => point[key] === null && Date.parse(point.at) >= Date.parse(begins))
	)
		notes.push('Where the line is broken, nothing was running.');
	if (begins > from) notes.push(`History begins on ${moment(begins)}.`);
	if (through !== null && Date.parse(at) - Date.parse(through) > LATE_MS)
		notes.push(`Counted up to ${moment(through)}.`);
	return notes;
}
