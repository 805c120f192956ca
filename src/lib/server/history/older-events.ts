/**
 * Reads the feed backwards from the table: events under a filter that arrived before a position, newest first, in pages; and
 * one event by its id. The order is that of the live feed, by (tx, id), so that pages continue it without gap or repeat.
 * A page examines a bounded number of rows. One that found few says where to go on.
 */
import type { Logger } from 'pino';
import type { Fragment } from 'postgres';
import type { OlderEvents } from '../../feed';
import type { Condition } from '../../filter';
import { toArray } from '../db/array';
import { MAX_DATE_MS, toIso, toMs } from '../db/time';
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';
import type { ActivityEvent } from '../../protocol';
import { createTextMatch, toSearchText } from '../../search';
import { createRowMatch } from '../live/match-row';
import { toActivityEvent, toRow, type RawRow } from '../reader/row';
import { columns } from '../reader/rows';
import { BusyError, createReadings } from './readings';
import { toPatterns } from './row-text';

/** Where a page begins: after this row, going back. */
export type Position = { tx: bigint; id: bigint };

export type OlderSpec = Condition & {
	/** the id of an event, or `next` of the page before; null: the newest */
	before: string | null;
	/** a text that the events contain; empty: any */
	search?: string;
	/** events at most */
	limit: number;
};

export type OlderReader = {
	/** @throws PositionError, BusyError, a DeadlineError, or what the database says */
	read(spec: OlderSpec): Promise<OlderEvents>;
	/**
	 * The event with this id, whatever its age.
	 * @param eventId a UUID
	 * @returns null: there is none, or the condition does not let it through
	 */
	find(eventId: string, condition: Condition): Promise<ActivityEvent | null>;
};

/** `before` names no place in the table. */
export class PositionError extends Error {
	constructor(
		readonly status: 400 | 404,
		message: string,
	) {
		super(message);
		this.name = 'PositionError';
	}
}

/** Rows that one page examines at most: about a third of a second. */
export const SCAN_ROWS = 20_000;
/** Of them, read by one statement: first few, so that a page of everything reads what it shows. */
const MAX_CHUNK = 4_000;
/** A page ends after the statement in which this has passed. */
const BUDGET_MS = 800;
const DEADLINE_MS = 10_000;
/** Pages read at a time. They share three connections with counting, deleting and history. */
export const MOST_PAGES = 4;
const ID = /^\d{1,19}$/;
const POSITION = /^(\d{1,20})\.(\d{1,19})$/;
const MAX_ID = 2n ** 63n - 1n;
const MAX_TX = 2n ** 64n - 1n;

/** @returns a position, the id of an event, or null: it is neither */
export function parseBefore(text: string): Position | { id: bigint } | null {
	const [, tx, id] = POSITION.exec(text) ?? [];
	const found = ID.test(text) ? { id: BigInt(text) } : null;
	const position = tx && id ? { tx: BigInt(tx), id: BigInt(id) } : found;
	if (!position || position.id > MAX_ID) return null;
	return 'tx' in position && (position.tx as bigint) > MAX_TX ? null : position;
}

/** The rows before the position, newest first. Those whose text cannot match come without properties. */
export function olderQuery(
	sql: Sql,
	before: Position | null,
	patterns: readonly (readonly string[])[],
	limit: number,
): Fragment {
	const text = sql`lower(concat_ws(' ', name, source, session_id, user_id, properties, context) collate "C")`;
	// what is percent-encoded may be any text
	const isWanted = patterns.map(
		(group) => sql`and (text like any(${toArray(group)}::text[]) or position('%' in text) > 0)`,
	);
	const wanted =
		patterns.length === 0
			? sql`true`
			: sql`(select true ${isWanted} from (select ${text} as text) as row)`;
	// a row comparison, or the planner sorts what it could read in order
	const bound = before
		? sql`(tx, id) < (${before.tx.toString()}::xid8, ${before.id.toString()}::bigint)`
		: sql`true`;
	return sql`
		select tx::text, id, event_id, name, source, session_id, user_id, context::text, ${toMs(sql, 'created_at')} as created_at,
			case when ${wanted} then properties::text end as properties
		from ${sql.schema}.events where ${bound}
		order by events.tx desc, events.id desc limit ${sql.unsafe(String(limit)) as unknown as Fragment}`;
}

type Scanned = Omit<RawRow, 'properties'> & { properties: string | null };

async function toPosition(sql: Sql, before: string | null): Promise<Position | null> {
	if (before === null) return null;
	const parsed = parseBefore(before);
	if (!parsed)
		throw new PositionError(
			400,
			`before is ${JSON.stringify(before.slice(0, 40))}: it must be the id of an event, or what "next" says.`,
		);
	if ('tx' in parsed) return parsed;
	const [row] = await sql<{ tx: string }[]>`
		select tx::text from ${sql.schema}.events where id = ${parsed.id.toString()}::bigint`;
	if (!row)
		throw new PositionError(
			404,
			`before is ${before}: the table has no event with this id any more.`,
		);
	return { tx: BigInt(row.tx), id: parsed.id };
}

/** @param scanRows rows examined at most */
export async function readOlder(
	sql: Sql,
	{ before, search = '', limit, ...condition }: OlderSpec,
	scanRows = SCAN_ROWS,
): Promise<OlderEvents> {
	const started = performance.now();
	const wanted = toSearchText(search);
	const isInFilter = createRowMatch(condition);
	const isInSearch = createTextMatch(wanted);
	const patterns = toPatterns(condition, wanted);
	const events: ActivityEvent[] = [];
	let position = await toPosition(sql, before);
	let through: number | null = null;
	let chunk = limit;
	for (let scanned = 0; ;) {
		const size = Math.min(chunk, MAX_CHUNK, scanRows - scanned);
		const rows = await sql<Scanned[]>`${olderQuery(sql, position, patterns, size)}`;
		scanned += rows.length;
		chunk *= 4;
		for (const raw of rows) {
			position = { tx: BigInt(raw.tx), id: BigInt(raw.id) };
			through = raw.created_at;
			if (raw.properties === null) continue;
			const row = toRow({ ...raw, properties: raw.properties });
			if (row.fault !== null || !isInFilter(row)) continue;
			const event = toActivityEvent(row);
			if (wanted === '' || isInSearch(event)) events.push(event);
			if (events.length === limit) break;
		}
		const isEnd = rows.length < size && events.length < limit;
		if (
			!isEnd &&
			events.length < limit &&
			scanned < scanRows &&
			performance.now() - started < BUDGET_MS
		)
			continue;
		return {
			events,
			next: isEnd || !position ? null : `${position.tx}.${position.id}`,
			through: through !== null && Math.abs(through) <= MAX_DATE_MS ? toIso(through) : null,
		};
	}
}

async function findEvent(sql: Sql, eventId: string, condition: Condition) {
	const [raw] = await sql<RawRow[]>`
		select ${columns(sql)} from ${sql.schema}.events where event_id = ${eventId}::uuid`;
	const row = raw && toRow(raw);
	return row && row.fault === null && createRowMatch(condition)(row) ? toActivityEvent(row) : null;
}

/** At most MOST_PAGES readings at a time; further ones get a BusyError. */
export function createOlderReader({ sql, log }: { sql: Sql; log: Logger }): OlderReader {
	const pages = createReadings(MOST_PAGES, DEADLINE_MS, 'a page of older events');

	async function logged<T>(reading: Promise<T>, what: string): Promise<T> {
		try {
			return await reading;
		} catch (error) {
			if (!(error instanceof PositionError || error instanceof BusyError))
				log.warn({ reason: String(error) }, `${what} was not read`);
			throw error;
		}
	}

	return {
		read: (spec) =>
			logged(
				pages.run(() => readOlder(sql, spec)),
				'a page of older events',
			),
		find: (eventId, condition) =>
			logged(withDeadline(findEvent(sql, eventId, condition), DEADLINE_MS, 'an event'), 'an event'),
	};
}
