/** What the stream and the other answers of the server must look like; the checks are in check.ts. */
import type { OlderEvents } from '../feed';
import type { PeopleList, Person } from '../people';
import type { SessionPath, UserSession } from '../session';
import {
	HEALTH_STATES,
	ROBOT_CLASSES,
	type Health,
	type HealthPart,
	type Minute,
	type Refused,
	type Robot,
} from '../health';
import {
	HISTORY_RANGES,
	type Before,
	type History,
	type HistoryFigures,
	type HistoryPoint,
	type Measures,
	type RangeTable,
	type Values,
} from '../history';
import {
	DATABASE_TROUBLES,
	type Activity,
	type ActivityEvent,
	type Bye,
	type DashboardState,
	type LiveFigures,
	type Metrics,
	type Moment,
	type People,
	type PeoplePoint,
	type Ping,
	type Presence,
	type Series,
	type SeriesPoint,
	type StreamEvents,
	type Table,
	type Tick,
	type Totals,
} from '../protocol';
import {
	boolean,
	list,
	nullable,
	number,
	object,
	oneOf,
	optional,
	parse,
	record,
	text,
	time,
	type Check,
	type Fields,
	type Parse,
} from './check';

const totals: Fields<Totals> = {
	pageViews: number,
	activeSessions: number,
	eventsCount: number,
	eventsPerMinute: number,
};
const tick: Fields<Tick> = {
	...totals,
	recordedAt: time,
	people: optional(object<NonNullable<Tick['people']>>({ active: number, idle: number })),
};
const tableFields: Fields<Table> = {
	rows: list(object<Table['rows'][number]>({ key: text, count: number })),
	other: number,
};
const table = object<Table>(tableFields);
const figures: Fields<LiveFigures> = {
	totals: object(totals),
	tables: record(table),
	at: time,
	blurred: list(text),
	reach: nullable(number),
};
const point = object<SeriesPoint>({
	at: number,
	events: number,
	pageViews: number,
	sessions: number,
});
const series = object<Series>({ minutes: list(point), seconds: list(point) });
const event = object<ActivityEvent>({
	id: number,
	eventId: text,
	name: text,
	source: text,
	sessionId: nullable(text),
	userId: optional(text),
	// their values were parsed from JSON
	properties: object<ActivityEvent['properties']>({}),
	context: nullable(record(text)),
	createdAt: time,
});

const counted = object<People>({
	active: number,
	idle: number,
	pages: table,
	referrers: optional(table),
});
const people: Check<Presence> = (value, path) =>
	value === 'unknown' ? null : counted(value, path);

const ping: Fields<Ping> = {
	now: time,
	database: oneOf('up', 'down'),
	listener: oneOf('up', 'deaf'),
	reading: nullable(oneOf(...DATABASE_TROUBLES)),
	writing: nullable(oneOf(...DATABASE_TROUBLES)),
	fix: optional(text),
	counting: optional(boolean),
};

/** What a page shows at one position or moment. */
const page: Fields<Moment> = {
	...figures,
	filter: list(text),
	bound: list(text),
	by: list(text),
	series,
	previous: nullable(object(tick)),
	events: list(event),
	people: optional(people),
	peopleMinutes: optional(
		nullable(list(object<PeoplePoint>({ at: number, active: number, idle: number }))),
	),
};

/** What `GET /api/dashboard/moment` answers. */
export const parseMomentState: Parse<Moment> = parse(object(page));
/** What a refusal says. */
export const parseMessage: Parse<{ message: string }> = parse(object({ message: text }));

/** One parser for each event of the stream. */
export const PARSERS: { [Name in keyof StreamEvents]: Parse<StreamEvents[Name]> } = {
	reset: parse(object<DashboardState>({ ...page, cursor: text })),
	activity: parse(
		object<Activity>({
			totals: optional(figures.totals),
			tables: optional(figures.tables),
			at: time,
			blurred: optional(figures.blurred),
			reach: optional(figures.reach),
			series: optional(series),
			events: list(event),
			omitted: number,
		}),
	),
	metrics: parse(
		object<Metrics>({
			...tick,
			figures: object(figures),
			previous: nullable(object(tick)),
			series,
		}),
	),
	presence: parse(object<StreamEvents['presence']>({ people })),
	ping: parse(object(ping)),
	bye: parse(object<Bye>({ retryMs: number })),
};

const state = oneOf(...HEALTH_STATES);

/** What `/api/dashboard/health` answers. */
export const parseHealth: Parse<Health> = parse(
	object<Health>({
		...ping,
		state,
		missing: list(text),
		version: text,
		startedAt: time,
		readAgoMs: nullable(number),
		readMs: nullable(number),
		tickAgoMs: nullable(number),
		clients: number,
		ring: object<Health['ring']>({
			frames: number,
			bytes: number,
			maxFrames: number,
			maxBytes: number,
		}),
		heldEvents: number,
		memoryBytes: number,
		more: list(object<HealthPart>({ name: text, state, words: text, figure: text })),
		refused: list(object<Refused>({ reason: text, count: number, meaning: text })),
		robots: list(
			object<Robot>({ name: text, kind: oneOf(...ROBOT_CLASSES), count: number, lastAt: time }),
		),
		minutes: list(
			object<Minute>({
				at: time,
				state,
				p50Ms: nullable(number),
				p99Ms: nullable(number),
				clients: number,
				events: number,
				rejected: number,
				lateMs: number,
			}),
		),
	}),
);

const historyFigures: Fields<HistoryFigures> = {
	pageViews: nullable(number),
	eventsCount: nullable(number),
	activeSessions: nullable(number),
};
/** One row of a breakdown, with its count in the period before where that is known. */
const valueRow = object<RangeTable['rows'][number]>({
	key: text,
	count: number,
	before: optional(number),
});
const historyPoint = object<HistoryPoint>({ ...historyFigures, at: time });
const rangeTable = object<RangeTable>({
	rows: list(valueRow),
	other: number,
	values: number,
});

/** Part of what `POST /api/tokens` answers. */
export const parseToken: Parse<{ token: string }> = parse(object({ token: text }));

/** What `GET /api/dashboard/values` answers. */
export const parseValues: Parse<Values> = parse(
	object<Values>({
		dimension: text,
		at: time,
		rows: list(valueRow),
		other: number,
		values: number,
		measures: nullable(
			object<Measures>({
				...{ count: number, sum: number, avg: number, min: number, max: number },
				...{ p50: number, p95: number },
			}),
		),
	}),
);

/** What `GET /api/dashboard/session` answers. */
export const parseSession: Parse<SessionPath> = parse(
	object<SessionPath>({
		session: text,
		events: list(event),
		older: nullable(text),
		start: optional(nullable(event)),
		user: optional(
			object<NonNullable<SessionPath['user']>>({
				id: text,
				sessions: list(
					object<UserSession>({ session: text, from: time, to: time, events: number }),
				),
			}),
		),
	}),
);

/** What `GET /api/dashboard/before` answers. */
export const parseBefore: Parse<Before> = parse(
	object<Before>({
		at: time,
		tables: nullable(record(list(object<Table['rows'][number]>({ key: text, count: number })))),
	}),
);

/** What `GET /api/dashboard/events` answers. */
export const parseOlder: Parse<OlderEvents> = parse(
	object<OlderEvents>({ events: list(event), next: nullable(text), through: nullable(time) }),
);

/** What `GET /api/dashboard/people` answers. */
export const parsePeople: Parse<PeopleList> = parse(
	object<PeopleList>({
		people: list(
			object<Person>({
				...{ session: text, source: text, state: oneOf('active', 'idle'), path: nullable(text) },
				...{ since: nullable(time), referrer: nullable(text) },
				context: nullable(record(text)),
			}),
		),
		more: number,
	}),
);

/** What `GET /api/dashboard/history` answers. */
export const parseHistory: Parse<History> = parse(
	object<History>({
		range: oneOf(...HISTORY_RANGES),
		filter: list(text),
		zone: text,
		from: time,
		to: time,
		at: time,
		begins: nullable(time),
		through: nullable(time),
		totals: object(historyFigures),
		previousTotals: nullable(object(historyFigures)),
		points: list(historyPoint),
		previous: list(historyPoint),
		tables: record(rangeTable),
	}),
);
