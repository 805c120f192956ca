/**
 * What goes over the wire between server and browser: event names, payload types, and the limits
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

/** The sessions that are here now, of a view, and how many of them are on each page. */
export type People = { active: number; idle: number; pages: Table };
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
};

/**
 * After a drain: what arrived for the view, in arrival order (oldest first), and the figures that include it. Without
 * `totals`, `tables` and `series` nothing in the view has changed but `at`.
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
};

export const HEALTH_STATES = ['starting', 'fine', 'degraded', 'broken'] as const;
/** `degraded`: everything works, some of it later than usual. */
export type HealthState = (typeof HEALTH_STATES)[number];

/** A minute of one process; figures are of that minute. */
export type Minute = {
	/** its beginning, by the clock of the process */
	at: string;
	/** the worst that was seen */
	state: HealthState;
	/** from the insert of the newest event of a frame to its place in the stream; null: there was no frame */
	p50Ms: number | null;
	p99Ms: number | null;
	/** open streams at most */
	clients: number;
	/** published, from any instance */
	events: number;
	/** requests with events that were refused */
	rejected: number;
	/** how late the process was at most for something it had planned */
	lateMs: number;
};

/** A part beside the stream. `words`: sentences for people; `figure`: one number, or empty. */
export type HealthPart = { name: string; state: HealthState; words: string; figure: string };

/** Requests with events that were not recorded, for one reason. `meaning`: to be read after the number. */
export type Refused = { reason: string; count: number; meaning: string };

/** What one process says of itself, from its own memory. */
export type Health = Ping & {
	state: HealthState;
	/** what /readyz misses */
	missing: string[];
	version: string;
	startedAt: string;
	/** since the last read that succeeded, and how long it took; null: there was none */
	readAgoMs: number | null;
	readMs: number | null;
	/** since a tick was last recorded by anybody */
	tickAgoMs: number | null;
	clients: number;
	/** what is kept for those who come back */
	ring: { frames: number; bytes: number; maxFrames: number; maxBytes: number };
	/** received and not yet saved */
	heldEvents: number;
	memoryBytes: number;
	more: HealthPart[];
	/** since `startedAt`; only reasons that there were */
	refused: Refused[];
	/** oldest first, at most 60; the last one runs */
	minutes: Minute[];
};

/** The server ends the stream on purpose; come back after `retryMs`. */
export type Bye = { retryMs: number };

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

/** Ingest limits; the table's CHECK constraints repeat those that protect readers. */
export const INGEST_LIMITS = {
	batch: 500,
	/** of a whole request: what adapter-node's BODY_SIZE_LIMIT lets through when it is not set; a fuller batch is split */
	bodyBytes: 512 * 1024,
	nameLength: 120,
	sourceLength: 120,
	sessionIdLength: 200,
	propertiesBytes: 8 * 1024,
	propertiesKeys: 64,
	propertiesDepth: 5,
	/** texts, numbers, arrays, objects …, at any depth: what 8 KiB of `[{},{},…]` take in memory is twenty times as much */
	propertiesValues: 500,
	/** an older `timestamp` is clamped to this age */
	maxAgeMs: 24 * 60 * 60_000,
} as const;

/** `path` within the event; `value` shortened, absent when the field is; `item` is the index in a batch. */
export type InputError = {
	item?: number;
	path: string;
	value?: string | number | boolean | null;
	rule: string;
};

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
