/**
 * What the stream carries from server to browser: event names, payload types, and the bounds
 * both ends rely on. Imports nothing. Every time is an ISO 8601 text in UTC with milliseconds, taken
 * from the database's clock; every figure is a function of (rows seen by a cursor, such a time).
 */

/** Values of the cards at one position. Windows are `at − w < createdAt ≤ at`. */
export type Totals = {
	/** events named `page_view` in the last 30 minutes */
	pageViews: number;
	/** distinct session ids in the last 5 minutes (distinct over the whole window, never a sum of minutes) */
	activeSessions: number;
	/** all events in the last 30 minutes */
	eventsCount: number;
	/** all events in the last minute */
	eventsPerMinute: number;
};

/** What a figure is made of, the most frequent first: the rows and `other` add up to the figure. */
export type Table = {
	/** at most TABLE_LENGTH */
	rows: { key: string; count: number }[];
	/** how many the rows leave out */
	other: number;
};

/** One bucket of the live chart, by the events' own times. */
export type SeriesPoint = {
	/** its beginning, ms since 1970 */
	at: number;
	events: number;
	pageViews: number;
	/** distinct sessions with an event in it */
	sessions: number;
};

/** The live chart: 30 buckets of a minute, and 30 of two seconds. Oldest first; a bucket that is missing is empty. */
export type Series = { minutes: SeriesPoint[]; seconds: SeriesPoint[] };

/** The sessions that are here now, of a view: how many of them are on each page, and where they came from. */
export type People = { active: number; idle: number; pages: Table; referrers?: Table };
/** How many were here at the end of a minute, as the last tick in it recorded. `at`: its beginning, ms since 1970. */
export type PeoplePoint = { at: number; active: number; idle: number };
/** `unknown`: not read yet, or the filter asks for what only events have. */
export type Presence = People | 'unknown';

/** What a view shows at one position. */
export type LiveFigures = {
	totals: Totals;
	/** the last 30 minutes by dimension, from the same windows as the cards; an empty key: not there */
	tables: { [dimension: string]: Table };
	/** database time at which they hold */
	at: string;
	/** dimensions of the filter with more values than are kept distinct: events may be missing */
	blurred: string[];
	/** ms since 1970: how far back tables and filtered totals reach; null: the whole half hour */
	reach: number | null;
};

/** One row of `metrics_snapshots`: the totals at a tick, the same on every instance. */
export type Tick = Totals & {
	/** database time of the tick */
	recordedAt: string;
	/** who was here; absent: not recorded */
	people?: { active: number; idle: number };
};

/** A number that a JavaScript number would change is a string with the same digits (docs/delivery.md). */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** One row of `events`, as the feed shows it. */
export type ActivityEvent = {
	id: number;
	eventId: string;
	name: string;
	source: string;
	sessionId: string | null;
	/** who the site says it is; absent: it does not say */
	userId?: string;
	properties: { [key: string]: Json };
	/** what is known beside what was sent; null: nothing */
	context: EventContext | null;
	createdAt: string;
};

/** A position in the stream as text (the SSE `id:`), `<epoch>-<last>.<hole>…`. Opaque to clients. */
export type CursorId = string;

/** The whole state of a view at one cursor: what a page is rendered from and what `reset` carries. */
export type DashboardState = LiveFigures & {
	cursor: CursorId;
	/** the view's filter, canonical: the values of `f` */
	filter: string[];
	/** a filter that a share link adds and its holder cannot take off */
	bound: string[];
	/** the breakdowns in `tables` */
	by: string[];
	series: Series;
	/** the tick half an hour before `at`, if one was recorded and the view has no filter */
	previous: Tick | null;
	/** the newest events, newest first, at most FEED_LENGTH */
	events: ActivityEvent[];
	/** absent: presence is switched off */
	people?: Presence;
	/** who was here in the last 30 minutes, oldest first; null: under a filter, where it is not recorded */
	peopleMinutes?: PeoplePoint[] | null;
};

/** What `GET /api/dashboard/moment` answers: the page at a time, `at`, of the events created until then. */
export type Moment = Omit<DashboardState, 'cursor'>;

/**
 * After a drain: what arrived for the view, in arrival order (oldest first), and the figures that include it. Without
 * `totals`, `tables` and `series` nothing in the view has changed but `at`, or a large transaction is being counted: then `at` stands
 * still until a frame brings the figures.
 */
export type Activity = Partial<LiveFigures> & {
	at: string;
	events: ActivityEvent[];
	/** events of the view that this frame stands for without carrying them: too many, or not to be shown (docs/delivery.md) */
	omitted: number;
	/** the buckets that have changed */
	series?: Series;
};

/** At every tick: the view's totals then. The first one after joining has the whole series. */
export type Metrics = Tick & { figures: LiveFigures; previous: Tick | null; series: Series };

export type DatabaseState = 'up' | 'down';
/** `deaf`: NOTIFY does not arrive, and the server polls fast instead. */
export type ListenerState = 'up' | 'deaf';

/** Why the database cannot be used; what each means is in database-troubles.ts. */
export const DATABASE_TROUBLES = [
	'unreachable',
	'starting',
	'crowded',
	'denied',
	'forbidden',
	'hidden',
	'missing',
	'unmigrated',
	'foreign',
	'encoding',
	'outdated',
	'tls',
	'locked',
	'slow',
	'readonly',
	'standby',
	'full',
	'relay',
	'other',
] as const;
export type DatabaseTrouble = (typeof DATABASE_TROUBLES)[number];

/** Every PING_INTERVAL_MS, and when one of the states changes. */
export type Ping = {
	/** the server's estimate of database time */
	now: string;
	database: DatabaseState;
	listener: ListenerState;
	/** why `database` is down; null: it is up, or not known yet */
	reading: DatabaseTrouble | null;
	/** why events that are sent now are refused; null: they are accepted, as far as is known */
	writing: DatabaseTrouble | null;
	/** the statement or setting that fixes the trouble, where the server knows one; `<role>` stands for that of DATABASE_URL */
	fix?: string;
	/** a large transaction has been counted for more than a second: figures and charts stand still, events go on */
	counting?: boolean;
};

/** The server ends the stream on purpose; come back after `retryMs`. */
export type Bye = { retryMs: number };

/** One map from event name to payload serves both ends of the wire. */
export type StreamEvents = {
	reset: DashboardState;
	activity: Activity;
	metrics: Metrics;
	/** when it has changed, at most once a second */
	presence: { people: Presence };
	ping: Ping;
	bye: Bye;
};
export type StreamEventName = keyof StreamEvents;
export const STREAM_EVENT_NAMES = [
	'reset',
	'activity',
	'metrics',
	'presence',
	'ping',
	'bye',
] as const satisfies StreamEventName[];

/** Length of a tick: `tick = floor(database time / TICK_MS)`. */
export const TICK_MS = 2_000;
/** Rows of a table. */
export const TABLE_LENGTH = 8;
/** Newest events in a state, and the bound of the feed on a page. */
export const FEED_LENGTH = 50;
/** A drain's frame omits nothing below this many events. */
export const MAX_EVENTS_PER_FRAME = 1_000;
export const PING_INTERVAL_MS = 15_000;
/** Three pings: a client that has heard nothing for this long takes its stream for dead. */
export const WATCHDOG_MS = 45_000;

export const PAGE_VIEW = 'page_view';
export const COUNT_WINDOW_MS = 30 * 60_000;
export const SESSION_WINDOW_MS = 5 * 60_000;
export const RATE_WINDOW_MS = 60_000;

/** What is known of an event beside what was sent. */
export const CONTEXT_KEYS = [
	'country',
	'device',
	'browser',
	'os',
	'language',
	'host',
	'channel',
] as const;
export type EventContext = Partial<Record<(typeof CONTEXT_KEYS)[number], string>>;
