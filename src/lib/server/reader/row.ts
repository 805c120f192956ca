/**
 * One row of `events`, as reading needs it. Postgres stores what JSON, JavaScript or a page cannot hold: an infinite time, an
 * id beyond 2^53, thousands of nested lists. Such a row gets a `fault`: it is counted and named, and nothing else waits for it.
 */
import { CONTEXT_KEYS, type ActivityEvent, type EventContext, type Json } from '../../protocol';
import { isDeep, parseForBrowsers } from '../db/exact-json';
import { MAX_DATE_MS } from '../db/time';

export type Row = {
	tx: bigint;
	id: bigint;
	eventId: string;
	name: string;
	source: string;
	sessionId: string | null;
	/** who the site says it is */
	userId?: string | null;
	/** empty when they are the fault */
	properties: { [key: string]: Json };
	/** characters of the properties as JSON: about what they take in a frame */
	size: number;
	/** ms since 1970, whole; may be infinite or beyond what a Date can hold */
	createdAt: number;
	/** why no page can show the row; null: it can be shown */
	fault: string | null;
	/** what is known beside what was sent; null: nothing */
	context: EventContext | null;
};

/** A row as the reading statements return it: numbers that no double holds as text, the time as a number. */
export type RawRow = {
	tx: string;
	id: string;
	event_id: string;
	name: string;
	source: string;
	session_id: string | null;
	user_id: string | null;
	properties: string;
	context: string | null;
	created_at: number;
};

/** Encoding a value calls itself for each level: some thousands end with a full stack. HTTP takes 5 levels. */
export const MAX_LEVELS = 64;

/** Never throws: what cannot be shown is the row's `fault`. */
export function toRow(raw: RawRow): Row {
	const { properties, fault } = parseProperties(raw.properties);
	return {
		tx: BigInt(raw.tx),
		id: BigInt(raw.id),
		eventId: raw.event_id,
		name: raw.name,
		source: raw.source,
		sessionId: raw.session_id,
		userId: raw.user_id,
		properties,
		context: parseContext(raw.context),
		size: raw.properties.length + (raw.context?.length ?? 0),
		createdAt: raw.created_at,
		fault: idFault(raw.id) ?? timeFault(raw.created_at) ?? fault,
	};
}

function parseProperties(text: string): Pick<Row, 'properties' | 'fault'> {
	if (isDeep(text, MAX_LEVELS))
		return { properties: {}, fault: `properties are nested more than ${MAX_LEVELS} levels deep` };
	try {
		const properties = parseForBrowsers(text);
		if (typeof properties === 'object' && properties !== null && !Array.isArray(properties))
			return { properties, fault: null };
		return { properties: {}, fault: 'properties are not an object' };
	} catch (error) {
		return { properties: {}, fault: `properties cannot be read: ${String(error)}` };
	}
}

/** Only what is known by name: anything may stand in the column. */
function parseContext(text: string | null): EventContext | null {
	if (text === null || isDeep(text, MAX_LEVELS)) return null;
	const found = parseForBrowsers(text) as { [key: string]: unknown } | null;
	const context: EventContext = {};
	for (const key of CONTEXT_KEYS) {
		const value = found?.[key];
		if (typeof value === 'string' && value !== '') context[key] = value;
	}
	return Object.keys(context).length > 0 ? context : null;
}

function idFault(id: string): string | null {
	return Number.isSafeInteger(Number(id)) ? null : 'id lies beyond 2^53 − 1';
}

function timeFault(at: number): string | null {
	return Math.abs(at) <= MAX_DATE_MS ? null : 'created_at is infinite, or after the year 275760';
}

/** A row without a fault, as the feed shows it. */
export function toActivityEvent(row: Row): ActivityEvent {
	return {
		id: Number(row.id),
		eventId: row.eventId,
		name: row.name,
		source: row.source,
		sessionId: row.sessionId,
		...(row.userId != null && { userId: row.userId }),
		properties: row.properties,
		context: row.context,
		createdAt: new Date(row.createdAt).toISOString(),
	};
}
