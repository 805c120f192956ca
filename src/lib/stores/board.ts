/**
 * What the page shows, as a value, and how each frame of the stream changes it. Pure; costs the size of the frame, never of
 * what is shown. Why not let every frame write the totals: ticks and drains cross, and figures must not go back in time.
 */
import { withTickPeople } from '../presence';
import {
	FEED_LENGTH,
	type Activity,
	type ActivityEvent,
	type DashboardState,
	type DatabaseState,
	type DatabaseTrouble,
	type LiveFigures,
	type ListenerState,
	type Metrics,
	type Moment,
	type Ping,
	type Presence,
	type Series,
	type SeriesPoint,
} from '../protocol';

/** One tick of the rug plot: `at` is the event's createdAt in ms of database time. */
export type Arrival = { id: number; at: number };

/** A DashboardState kept up to date, with what only a live page knows. */
export type Dashboard = DashboardState & {
	/** the newest of `events` that arrived live: event id → ms epoch of the browser; others were there before */
	arrivedAt: ReadonlyMap<number, number>;
	/** events that arrived since the page was opened, listed or not */
	received: number;
	/** events counted but not listed since the last reset */
	omitted: number;
	/** the last ARRIVALS_MS, in arrival order, at most MAX_ARRIVALS */
	arrivals: readonly Arrival[];
	/** median from insert to paint over the last minute, in ms; null when nothing was measured */
	delayMs: number | null;
	/** database time − browser time, in ms */
	clockOffsetMs: number;
	database: DatabaseState;
	listener: ListenerState;
	/** why the database cannot be read, or takes no events */
	reading: DatabaseTrouble | null;
	writing: DatabaseTrouble | null;
	/** the statement that fixes it, where the server knows one */
	fix: string | null;
	/** a large transaction is being counted: the figures stand still */
	counting: boolean;
	/** how often the whole state was replaced */
	resets: number;
};

export const ARRIVALS_MS = 60_000;
/** Live rows that a page keeps; older ones are loaded from the table. */
export const MAX_LIVE_ROWS = 5_000;
/** More ticks than a minute of pixels can show apart. */
export const MAX_ARRIVALS = 500;

/** The board of a fresh state, from the page or a `reset`. */
export function toDashboard(initial: DashboardState): Dashboard {
	return {
		...initial,
		events: initial.events.slice(0, FEED_LENGTH),
		arrivedAt: new Map(),
		received: 0,
		omitted: 0,
		arrivals: toArrivals([], [...initial.events].reverse(), Date.parse(initial.at)),
		delayMs: null,
		clockOffsetMs: 0,
		database: 'up',
		listener: 'up',
		reading: null,
		writing: null,
		fix: null,
		counting: false,
		resets: 0,
	};
}

/** Replaces everything, also by an older time: the database may have been set back. */
export function withReset(board: Dashboard, state: DashboardState): Dashboard {
	const { delayMs, clockOffsetMs, database, listener, reading, writing, fix, counting } = board;
	return {
		...toDashboard(state),
		delayMs,
		clockOffsetMs,
		database,
		listener,
		reading,
		writing,
		fix,
		counting,
		received: board.received,
		resets: board.resets + 1,
	};
}

/** @param now ms epoch of the browser */
export function withActivity(
	board: Dashboard,
	activity: Activity,
	cursor: string | null,
	now: number,
): Dashboard {
	const newest = activity.events.slice(-MAX_LIVE_ROWS).reverse();
	// below events that were too many to be listed the list would have a gap: the rest is loaded when it is asked for
	const hasGap = activity.omitted > 0 && newest.length >= FEED_LENGTH;
	const events = hasGap ? newest : [...newest, ...board.events].slice(0, MAX_LIVE_ROWS);
	const arrivedAt = new Map<number, number>();
	for (const { id } of newest.slice(0, FEED_LENGTH)) arrivedAt.set(id, now);
	for (const { id } of events.slice(0, FEED_LENGTH)) {
		const at = board.arrivedAt.get(id);
		if (at !== undefined && !arrivedAt.has(id)) arrivedAt.set(id, at);
	}
	return {
		...withFigures(board, activity),
		series: activity.series ? withSeries(board.series, activity.series) : board.series,
		cursor: cursor ?? board.cursor,
		events,
		arrivedAt,
		received: board.received + activity.events.length + activity.omitted,
		omitted: board.omitted + activity.omitted,
		arrivals: toArrivals(board.arrivals, activity.events, Date.parse(activity.at)),
	};
}

/** The board after a tick. */
export function withMetrics(board: Dashboard, metrics: Metrics): Dashboard {
	const { figures, previous, series } = metrics;
	const { peopleMinutes } = board;
	return {
		...withFigures(board, figures),
		...(peopleMinutes && { peopleMinutes: withTickPeople(peopleMinutes, metrics) }),
		series: withSeries(board.series, series),
		previous: Date.parse(figures.at) >= Date.parse(board.at) ? previous : board.previous,
		arrivals: toArrivals(board.arrivals, [], Date.parse(figures.at)),
	};
}

/** The board with who is here now. */
export function withPresence(board: Dashboard, people: Presence): Dashboard {
	return { ...board, people };
}

/** The board with what the server says of itself. */
export function withPing(board: Dashboard, { now, fix, counting, ...states }: Ping): Dashboard {
	return {
		...board,
		...states,
		fix: fix ?? null,
		counting: counting ?? false,
		arrivals: toArrivals(board.arrivals, [], Date.parse(now)),
	};
}

/** A live board as it was at a moment: the connection, the clock and what the viewer may see stay. */
export function atMoment(board: Dashboard, { people, ...moment }: Moment): Dashboard {
	const { events, at } = moment;
	return {
		...board,
		...moment,
		// switched off now, or not recorded then
		...(board.people !== undefined && { people: people ?? 'unknown' }),
		omitted: 0,
		arrivedAt: new Map(),
		arrivals: toArrivals([], [...events].reverse(), Date.parse(at)),
	};
}

/** What a frame does not carry has not changed. */
function withFigures(
	board: Dashboard,
	{ at, ...figures }: Partial<LiveFigures> & { at: string },
): Dashboard {
	if (Date.parse(at) < Date.parse(board.at)) return board;
	const { totals, tables, blurred, reach } = figures;
	if (!totals || !tables) return { ...board, at };
	return { ...board, at, totals, tables, blurred: blurred ?? [], reach: reach ?? null };
}

/** Buckets of the live chart: a minute's thirty, and the last minute's in two seconds. */
const BUCKETS = 30;

function withSeries({ minutes, seconds }: Series, changed: Series): Series {
	return {
		minutes: withPoints(minutes, changed.minutes),
		seconds: withPoints(seconds, changed.seconds),
	};
}

function withPoints(points: SeriesPoint[], changed: SeriesPoint[]): SeriesPoint[] {
	if (changed.length === 0) return points;
	const byTime = new Map(points.map((point) => [point.at, point]));
	for (const point of changed) byTime.set(point.at, point);
	return [...byTime.values()].sort((a, b) => a.at - b.at).slice(-BUCKETS);
}

/** @param now ms of database time */
function toArrivals(
	shown: readonly Arrival[],
	arrived: ActivityEvent[],
	now: number,
): readonly Arrival[] {
	const added = arrived
		.slice(-MAX_ARRIVALS)
		.map(({ id, createdAt }) => ({ id, at: Date.parse(createdAt) }));
	return [...shown, ...added].filter(({ at }) => now - at < ARRIVALS_MS).slice(-MAX_ARRIVALS);
}
