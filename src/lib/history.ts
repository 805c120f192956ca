/**
 * What is asked for rather than streamed: the answers of `GET /api/dashboard/history`, `values` and `before`. Imports
 * nothing. Times as in protocol.ts.
 */

/** What the page can show beside the present. */
export const HISTORY_RANGES = ['30min', '24h', '7d', '90d'] as const;
export type HistoryRange = (typeof HISTORY_RANGES)[number];

/** null: not known. No instance ran, or it was before history begins; for sessions also: there is a filter. */
export type HistoryFigures = {
	/** sums over the time */
	pageViews: number | null;
	eventsCount: number | null;
	/** the highest that a tick in that time recorded, of all sources */
	activeSessions: number | null;
};
/** `at`: where the bucket begins. */
export type HistoryPoint = HistoryFigures & { at: string };

/** Of the values of a property that are plain decimal numbers. */
export type Measures = {
	/** how many events have one */
	count: number;
	sum: number;
	avg: number;
	min: number;
	max: number;
	/** the value of the nearest rank */
	p50: number;
	p95: number;
};

/** What `GET /api/dashboard/values` answers, of the last half hour or of a range. */
export type Values = {
	dimension: string;
	/** database time at which they hold */
	at: string;
	/** `before`: of as much time just before, where that is known */
	rows: { key: string; count: number; before?: number }[];
	/** how many the rows leave out */
	other: number;
	/** how many values the dimension has in the view */
	values: number;
	/** of a property; null: none of its values is a number, or there are too many different ones */
	measures: Measures | null;
};

/** What `GET /api/dashboard/before` answers: the half hour before the last half hour. */
export type Before = {
	/** database time: they are of the half hour that ended half an hour earlier */
	at: string;
	/** the most frequent values of each breakdown; null: events do not reach back so far */
	tables: { [dimension: string]: { key: string; count: number }[] } | null;
};

/** A breakdown of a range. `before`: of as much time just before, absent where events do not reach back so far. */
export type RangeTable = {
	rows: { key: string; count: number; before?: number }[];
	other: number;
	/** how many values there are */
	values: number;
};

/** What `GET /api/dashboard/history` answers. Buckets are minutes, quarters of an hour, hours or days of `zone`. */
export type History = {
	range: HistoryRange;
	/** the filter, canonical */
	filter: string[];
	/** IANA time zone in which days and hours begin */
	zone: string;
	/** the first bucket's begin, and the end of the one that is running */
	from: string;
	to: string;
	/** database time of the answer */
	at: string;
	/** the first minute that anything is known of; null: nothing yet */
	begins: string | null;
	/** everything committed by then is in it; null: not counted yet */
	through: string | null;
	totals: HistoryFigures;
	/** of as much time just before, as far as the present one has come; null: history does not reach back so far */
	previousTotals: HistoryFigures | null;
	/** oldest first; the last one is still running */
	points: HistoryPoint[];
	/** the period before, as many or (a clock was changed) one more or less */
	previous: HistoryPoint[];
	/** the breakdowns that were asked for, of the events that are kept */
	tables: { [dimension: string]: RangeTable };
};
