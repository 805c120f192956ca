/**
 * From the body of a request (`unknown`) to events, or to every reason why not. Pure: the time comes in as a number.
 * A batch is taken or refused as a whole, so that a client that corrects and repeats it counts nothing twice.
 * Unknown fields are refused, not dropped: a typo such as `propertys` would lose data in silence.
 */
import { INGEST_LIMITS as LIMITS, type InputError } from '../../ingest-limits';
import { PAGE_VIEW, type EventContext, type Json } from '../../protocol';
import { ExactNumber } from '../db/exact-json';
import { checkJson, isObject, member, textFault } from '../db/json-limits';
import { parseContext } from './parse-context';
import { toPageView } from './page-view';

export type InputEvent = {
	/** lower-case uuid; null: the server makes one */
	eventId: string | null;
	name: string;
	source: string;
	sessionId: string | null;
	/** who the sender says it is; null: it does not say */
	userId: string | null;
	/** numbers that a double would change are `ExactNumber`s */
	properties: { [key: string]: Json | ExactNumber };
	/** given by a server for its visitor, later joined with what the request says */
	context: EventContext | null;
	/** ISO 8601 in UTC, between `now − maxAgeMs` and `now`; null: the time of the insert */
	createdAt: string | null;
};

/** A timestamp that was moved into the allowed window. */
export type Clamped = { item?: number; from: string; to: string };

export type ParsedEvents =
	| { ok: true; events: InputEvent[]; clamped: Clamped[] }
	/** `omitted`: how many further errors are not listed */
	| { ok: false; errors: InputError[]; omitted: number };

/** Source of an event that came by HTTP without a key and named none. */
export const DEFAULT_SOURCE = 'api';
/** One for each item of a full batch, twice; a body of nothing but unknown fields must not make an answer of megabytes. */
export const MAX_ERRORS = 1_000;
/** A wrong value is shown up to here: enough to recognise it. */
const SHOWN_LENGTH = 60;

const FIELDS = [
	'name',
	'properties',
	'eventId',
	'sessionId',
	'userId',
	'source',
	'timestamp',
	'context',
] as const;
type Field = (typeof FIELDS)[number];
const KNOWN: ReadonlySet<string> = new Set(FIELDS);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
export const TIMESTAMP_RULE =
	'must be an ISO 8601 date and time with a zone, such as 2026-01-31T12:00:00.000Z or 2026-01-31T13:00:00+01:00, or milliseconds since 1970';
/** A smaller number is a time in seconds. */
const MAX_SECONDS = 100_000_000_000;

/**
 * @param now milliseconds since 1970, what timestamps are clamped against
 * @param source of an event that names none
 */
export function parseEvents(body: unknown, now: number, source = DEFAULT_SOURCE): ParsedEvents {
	const batch = Array.isArray(body);
	if (batch && (body.length === 0 || body.length > LIMITS.batch)) {
		const rule = `must be one event or an array of 1 to ${LIMITS.batch}`;
		return {
			ok: false,
			errors: [{ path: '(body)', value: `${body.length} events`, rule }],
			omitted: 0,
		};
	}
	const errors: InputError[] = [];
	let omitted = 0;
	const clamped: Clamped[] = [];
	const events = (batch ? (body as unknown[]) : [body]).map((value, index) => {
		const item = batch ? { item: index } : {};
		return parseEvent(value, now, source, {
			fail: (path, value, rule) => {
				if (errors.length < MAX_ERRORS) errors.push({ ...item, path, value: shown(value), rule });
				else omitted++;
			},
			clamp: (from, to) => clamped.push({ ...item, from, to }),
		});
	});
	return errors.length > 0 ? { ok: false, errors, omitted } : { ok: true, events, clamped };
}

type Notes = {
	fail(path: string, value: unknown, rule: string): void;
	clamp(from: string, to: string): void;
};

/** The result counts only when nothing failed. `null` in an optional field is the same as leaving it out. */
function parseEvent(
	value: unknown,
	now: number,
	source: string,
	{ fail, clamp }: Notes,
): InputEvent {
	const event = isObject(value) ? value : {};
	if (event !== value) fail('(event)', value, 'must be an object with at least a name');
	else
		for (const key of Object.keys(event))
			if (!KNOWN.has(key))
				fail(
					member('', key),
					event[key],
					`is not a field of an event; these are: ${FIELDS.join(', ')}`,
				);

	/** own fields only: a key `__proto__` of a body must not lend its members */
	const get = (field: Field) => (Object.hasOwn(event, field) ? event[field] : undefined) ?? null;

	function text(field: Field, maxLength: number): string | null {
		const value = get(field);
		if (value === null) return null;
		if (typeof value !== 'string') return (fail(field, value, 'must be a text'), null);
		const fault = textFault(value);
		if (fault) fail(field, value, fault);
		if (value === '' || isLonger(value, maxLength))
			fail(field, value, `must have 1 to ${maxLength} characters`);
		return value;
	}
	function eventId(): string | null {
		const value = get('eventId');
		if (value === null) return null;
		if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
		fail('eventId', value, 'must be a uuid, such as 0b0e6d4e-5f0e-4a52-8f3e-0d6f3a1c9b7d');
		return null;
	}
	function properties(): InputEvent['properties'] {
		const given = get('properties') ?? {};
		if (!isObject(given)) return (fail('properties', given, 'must be an object'), {});
		const value = get('name') === PAGE_VIEW ? toPageView(given) : given;
		const limits = {
			bytes: LIMITS.propertiesBytes,
			keys: LIMITS.propertiesKeys,
			depth: LIMITS.propertiesDepth,
			values: LIMITS.propertiesValues,
		};
		checkJson(value, 'properties', limits, fail);
		return value as InputEvent['properties'];
	}
	function createdAt(): string | null {
		const value = get('timestamp');
		if (value === null) return null;
		const at = toTime(value);
		if (at === null) return (fail('timestamp', value, TIMESTAMP_RULE), null);
		const allowed = Math.min(Math.max(at, now - LIMITS.maxAgeMs), now);
		const iso = new Date(allowed).toISOString();
		if (allowed !== at) clamp(String(value), iso);
		return iso;
	}

	const name = text('name', LIMITS.nameLength);
	if (event === value && get('name') === null)
		fail('name', event['name'], `is required: a text of 1 to ${LIMITS.nameLength} characters`);
	return {
		eventId: eventId(),
		name: name ?? '',
		source: text('source', LIMITS.sourceLength) ?? source,
		sessionId: text('sessionId', LIMITS.sessionIdLength),
		userId: text('userId', LIMITS.userIdLength),
		properties: properties(),
		context: parseContext(get('context'), fail),
		createdAt: createdAt(),
	};
}

/** Characters as Postgres counts them: code points, not UTF-16 units. */
export function isLonger(text: string, max: number): boolean {
	return text.length > 2 * max || [...text].length > max;
}

/** Milliseconds since 1970, or null. Date.parse alone takes 30 February for 2 March. */
export function toTime(text: unknown): number | null {
	if (typeof text === 'number') return text > MAX_SECONDS ? text : null;
	if (typeof text !== 'string' || !TIMESTAMP.test(text)) return null;
	const date = text.slice(0, 'yyyy-mm-dd'.length);
	const midnight = Date.parse(`${date}T00:00:00Z`);
	const at = Date.parse(text);
	if (Number.isNaN(midnight) || Number.isNaN(at)) return null;
	return new Date(midnight).toISOString().startsWith(date) ? at : null;
}

/** A wrong value as an error shows it. */
export function shown(value: unknown): InputError['value'] {
	if (value instanceof ExactNumber) return shown(value.digits);
	if (typeof value === 'string')
		return value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value;
	if (typeof value === 'boolean' || value === null || value === undefined) return value;
	if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
	if (Array.isArray(value)) return `[… ${value.length} items]`;
	return typeof value === 'object' ? '{…}' : `(${typeof value})`;
}
