/**
 * Structural checks of what the stream carries, light enough for every frame. Refuses to know what the figures mean.
 * A newcomer wants a schema library here: it would weigh more in the browser than all of these files.
 */
import {
	DATABASE_TROUBLES,
	HEALTH_STATES,
	HISTORY_RANGES,
	type Health,
	type History,
	type StreamEvents,
	type Values,
} from '../protocol';

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };
export type Parse<T> = (data: unknown) => Parsed<T>;

/** Null when the value is right, else the path, the value and the rule. */
type Check = (value: unknown, path: string) => string | null;

const refuse = (path: string, value: unknown, rule: string): string =>
	`${path || 'payload'} is ${toShort(value)}, not ${rule}`;
const toShort = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 60);

const number: Check = (value, path) =>
	Number.isFinite(value) ? null : refuse(path, value, 'a number');
const text: Check = (value, path) =>
	typeof value === 'string' ? null : refuse(path, value, 'a text');
const time: Check = (value, path) =>
	typeof value === 'string' && !Number.isNaN(Date.parse(value))
		? null
		: refuse(path, value, 'an ISO 8601 time');
const oneOf =
	(...values: string[]): Check =>
	(value, path) =>
		values.includes(String(value)) ? null : refuse(path, value, `one of ${values.join(', ')}`);
const nullable =
	(check: Check): Check =>
	(value, path) =>
		value === null ? null : check(value, path);
const optional =
	(check: Check): Check =>
	(value, path) =>
		value === undefined ? null : check(value, path);

function object(fields: { [name: string]: Check }): Check {
	const entries = Object.entries(fields);
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

function list(item: Check): Check {
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
function record(value: Check): Check {
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
	<T>(check: Check): Parse<T> =>
	(data) => {
		const reason = check(data, '');
		return reason === null ? { ok: true, value: data as T } : { ok: false, reason };
	};

const totals = {
	pageViews: number,
	activeSessions: number,
	eventsCount: number,
	eventsPerMinute: number,
};
const tick = { ...totals, recordedAt: time };
const table = object({ rows: list(object({ key: text, count: number })), other: number });
const figures = {
	totals: object(totals),
	tables: record(table),
	at: time,
	blurred: list(text),
	reach: nullable(number),
};
const point = object({ at: number, events: number, pageViews: number, sessions: number });
const series = object({ minutes: list(point), seconds: list(point) });
const event = object({
	id: number,
	eventId: text,
	name: text,
	source: text,
	sessionId: nullable(text),
	properties: object({}),
	context: nullable(record(text)),
	createdAt: time,
});

const people: Check = (value, path) =>
	value === 'unknown' ? null : object({ active: number, idle: number, pages: table })(value, path);

const ping = {
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
		object({
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
		object({
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
		object({
			...tick,
			figures: object(figures),
			previous: nullable(object(tick)),
			series,
		}),
	),
	presence: parse(object({ people })),
	ping: parse(object(ping)),
	bye: parse(object({ retryMs: number })),
};

const state = oneOf(...HEALTH_STATES);

/** What `/api/dashboard/health` answers. */
export const parseHealth: Parse<Health> = parse(
	object({
		...ping,
		state,
		missing: list(text),
		version: text,
		startedAt: time,
		readAgoMs: nullable(number),
		readMs: nullable(number),
		tickAgoMs: nullable(number),
		clients: number,
		ring: object({ frames: number, bytes: number, maxFrames: number, maxBytes: number }),
		heldEvents: number,
		memoryBytes: number,
		more: list(object({ name: text, state, words: text, figure: text })),
		refused: list(object({ reason: text, count: number, meaning: text })),
		minutes: list(
			object({
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

const historyFigures = {
	pageViews: nullable(number),
	eventsCount: nullable(number),
	activeSessions: nullable(number),
};
const historyPoint = object({ ...historyFigures, at: time });
const rangeTable = object({
	rows: list(object({ key: text, count: number, before: number })),
	other: number,
	values: number,
});

/** Part of what `POST /api/tokens` answers. */
export const parseToken: Parse<{ token: string }> = parse(object({ token: text }));

/** What `GET /api/dashboard/values` answers. */
export const parseValues: Parse<Values> = parse(
	object({
		dimension: text,
		rows: list(object({ key: text, count: number })),
		other: number,
		values: number,
	}),
);

/** What `GET /api/dashboard/history` answers. */
export const parseHistory: Parse<History> = parse(
	object({
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
