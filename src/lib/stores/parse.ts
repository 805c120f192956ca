/**
 * Structural checks of what the stream carries, light enough for every frame. A check has the type of what passes it, so one
 * that leaves out a field does not compile. Why not a schema library: docs/decisions/0024-valibot.md.
 */
import {
	DATABASE_TROUBLES,
	HEALTH_STATES,
	HISTORY_RANGES,
	type Activity,
	type ActivityEvent,
	type Before,
	type Bye,
	type DashboardState,
	type Health,
	type HealthPart,
	type History,
	type HistoryFigures,
	type HistoryPoint,
	type LiveFigures,
	type Measures,
	type Metrics,
	type Minute,
	type People,
	type Ping,
	type Presence,
	type RangeTable,
	type Refused,
	type Series,
	type SeriesPoint,
	type StreamEvents,
	type Table,
	type Tick,
	type Totals,
	type Values,
} from '../protocol';

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };
export type Parse<T> = (data: unknown) => Parsed<T>;

/** Null when the value is a `T`, else the path, the value and the rule. */
export type Check<T> = {
	(value: unknown, path: string): string | null;
	/** never there: it makes checks of different types different */
	readonly passes?: T;
};
/** A check for each field of `T`, also for optional ones. */
export type Fields<T> = { [Name in keyof T]-?: Check<T[Name]> };

const refuse = (path: string, value: unknown, rule: string): string =>
	`${path || 'payload'} is ${toShort(value)}, not ${rule}`;
const toShort = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 60);

export const number: Check<number> = (value, path) =>
	Number.isFinite(value) ? null : refuse(path, value, 'a number');
export const text: Check<string> = (value, path) =>
	typeof value === 'string' ? null : refuse(path, value, 'a text');
const time: Check<string> = (value, path) =>
	typeof value === 'string' && !Number.isNaN(Date.parse(value))
		? null
		: refuse(path, value, 'an ISO 8601 time');
const oneOf =
	<T extends string>(...values: T[]): Check<T> =>
	(value, path) =>
		values.includes(value as T) ? null : refuse(path, value, `one of ${values.join(', ')}`);
export const nullable =
	<T>(check: Check<T>): Check<T | null> =>
	(value, path) =>
		value === null ? null : check(value, path);
export const optional =
	<T>(check: Check<T>): Check<T | undefined> =>
	(value, path) =>
		value === undefined ? null : check(value, path);

export function object<T>(fields: Fields<T>): Check<T> {
	const entries = Object.entries<Check<unknown>>(fields);
	return (value, path) => {
		if (typeof value !== 'object' || value === null || Array.isArray(value))
			return refuse(path, value, 'an object');
		for (const [name, check] of entries) {
			const reason = check((value as { [name: string]: unknown })[name], `${path}.${name}`);
			if (reason) return reason;
		}
		return null;
	};
}

function list<T>(item: Check<T>): Check<T[]> {
	return (value, path) => {
		if (!Array.isArray(value)) return refuse(path, value, 'a list');
		for (const [i, entry] of value.entries()) {
			const reason = item(entry, `${path}[${i}]`);
			if (reason) return reason;
		}
		return null;
	};
}

/** Every value by whatever name. */
function record<T>(value: Check<T>): Check<{ [name: string]: T }> {
	const fields = object({});
	return (data, path) => {
		const reason = fields(data, path);
		if (reason) return reason;
		for (const [name, entry] of Object.entries(data as { [name: string]: unknown })) {
			const fault = value(entry, `${path}.${name}`);
			if (fault) return fault;
		}
		return null;
	};
}

/** The one place that believes a check: what passed it has the type. */
const parse =
	<T>(check: Check<T>): Parse<T> =>
	(data) => {
		const reason = check(data, '');
		return reason === null ? { ok: true, value: data as T } : { ok: false, reason };
	};

const totals: Fields<Totals> = {
	pageViews: number,
	activeSessions: number,
	eventsCount: number,
	eventsPerMinute: number,
};
const tick: Fields<Tick> = { ...totals, recordedAt: time };
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
	// their values were parsed from JSON
	properties: object<ActivityEvent['properties']>({}),
	context: nullable(record(text)),
	createdAt: time,
});

const counted = object<People>({ active: number, idle: number, pages: table });
const people: Check<Presence> = (value, path) =>
	value === 'unknown' ? null : counted(value, path);

const ping: Fields<Ping> = {
	now: time,
	database: oneOf('up', 'down'),
	listener: oneOf('up', 'deaf'),
	reading: nullable(oneOf(...DATABASE_TROUBLES)),
	writing: nullable(oneOf(...DATABASE_TROUBLES)),
	fix: optional(text),
};

/** One parser for each event of the stream. */
export const PARSERS: { [Name in keyof StreamEvents]: Parse<StreamEvents[Name]> } = {
	reset: parse(
		object<DashboardState>({
			...figures,
			cursor: text,
			filter: list(text),
			bound: list(text),
			by: list(text),
			series,
			previous: nullable(object(tick)),
			events: list(event),
			people: optional(people),
		}),
	),
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

/** What `GET /api/dashboard/before` answers. */
export const parseBefore: Parse<Before> = parse(
	object<Before>({
		at: time,
		tables: nullable(record(list(object<Table['rows'][number]>({ key: text, count: number })))),
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

/** JSON text to a payload; a text that is no JSON is a reason like any other. */
export function parseText<T>(text: string, parser: Parse<T>): Parsed<T> {
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch {
		return { ok: false, reason: `${toShort(text)} is not JSON` };
	}
	return parser(data);
}
