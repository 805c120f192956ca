/**
 * The SQL that reads `events` by cursor. It owns the shape of the reading statements and knows nothing of frames or clients.
 * Easy to get wrong: the snapshot and the rows must come from one statement, or a commit between two falls in the gap;
 * and the two index scans stay apart (UNION ALL), because OR with ORDER BY walks the whole index.
 */
import type { Fragment, Sql } from 'postgres';
import type { ActivityEvent, Json } from '../../protocol';
import { parseSnapshot, type Cursor, type Snapshot } from './cursor';
import { toArray } from '../db/array';

/** One row of `events`. `createdAt` in ms since 1970. */
export type Row = {
	tx: bigint;
	id: number;
	eventId: string;
	name: string;
	source: string;
	sessionId: string | null;
	properties: { [key: string]: Json };
	createdAt: number;
};

/** What a reading statement says about the database it ran in. `at` is database time in ms since 1970, truncated. */
export type Head = {
	snapshot: Snapshot;
	at: number;
	epoch: string | null;
	/** the identity that the epoch was made for, and the one found now */
	identity: string | null;
	here: string;
	/** the newest transaction of which a row was deleted in this epoch; null when none was */
	deletedThrough: bigint | null;
	/** what was deleted is in the figures or in the feed, and everybody has to begin anew */
	recount: boolean;
};

/** Rows read at once: bounds memory and the length of a statement, and makes the planner take the index without statistics. */
export const CHUNK = 2_000;

const MAX_ID = '9223372036854775807';

export type Raw = {
	tx: string | null;
	id: string;
	event_id: string;
	name: string;
	source: string;
	session_id: string | null;
	properties: Json;
	created_at: Date;
};

export const columns = (sql: Sql) =>
	sql`tx::text, id, event_id, name, source, session_id, properties, created_at`;

export const head = (sql: Sql) => sql`
	select null::text as tx, null::bigint as id, null::uuid as event_id, null::text as name, null::text as source,
		null::text as session_id, jsonb_build_object(
			'snapshot', pg_current_snapshot()::text,
			'at', floor(extract(epoch from clock_timestamp()) * 1000),
			'epoch', (select value from meta where key = 'epoch'),
			'identity', (select value from meta where key = 'identity'),
			'here', nowboard_identity(),
			'deletedThrough', (select through::text from deletions order by deletions.through desc limit 1),
			'recount', exists (select from deletions where recount)) as properties, null::timestamptz as created_at`;

/**
 * The head, and the first `limit` rows that `from` has not seen, by (tx, id).
 * The statement whose plan is held by a test: at any size of the table it touches the unseen rows only.
 */
export function unseenQuery(sql: Sql, from: Cursor, limit: number): Fragment {
	// a literal, so that a generic plan knows it too
	const rows = sql.unsafe(String(limit)) as unknown as Fragment;
	return sql`${head(sql)}
		union all
		(select ${columns(sql)} from events where tx = any(${toArray(from.holes)}::xid8[]) order by events.tx, events.id limit ${rows})
		union all
		(select ${columns(sql)} from events where tx > ${from.last.toString()}::xid8 order by events.tx, events.id limit ${rows})`;
}

/** Runs `unseenQuery`. `rows` is in ascending order of (tx, id); `full` says that the limit cut it off. */
export async function readUnseen(
	sql: Sql,
	from: Cursor,
	limit = CHUNK,
): Promise<{ head: Head; rows: Row[]; full: boolean }> {
	const { head, rows } = split(await sql<Raw[]>`${unseenQuery(sql, from, limit)}`);
	// holes lie below `last`, new transactions above it, and each branch is sorted: this only guards against a reordering plan
	rows.sort(byPosition);
	const full = rows.length >= limit;
	rows.length = Math.min(rows.length, limit);
	return { head, rows, full };
}

/** A reading statement's answer: one row without a transaction is the head. */
function split(raw: Raw[]): { head: Head; rows: Row[] } {
	const rows: Row[] = [];
	let found: Head | undefined;
	for (const one of raw) {
		if (one.tx === null) found = toHead(one.properties);
		else rows.push(toRow(one));
	}
	if (!found) throw new Error('the reading statement returned no head');
	return { head: found, rows };
}

function byPosition(a: Row, b: Row): number {
	return a.tx === b.tx ? a.id - b.id : a.tx < b.tx ? -1 : 1;
}

/**
 * The head, and the newest `limit` rows that `upTo` has seen and `from` has not, among those of transactions after
 * `from.last`, newest first; with `before`, only rows before that one.
 */
export function missedQuery(
	sql: Sql,
	from: Cursor,
	upTo: Cursor,
	before: Pick<Row, 'tx' | 'id'> | null,
	limit: number,
): Fragment {
	// a row comparison: two plain bounds make the planner expect so few rows that it sorts all of them
	const bound = before
		? sql`(tx, id) < (${before.tx.toString()}::xid8, ${before.id}::bigint)`
		: sql`(tx, id) <= (${upTo.last.toString()}::xid8, ${MAX_ID}::bigint)`;
	const rows = sql.unsafe(String(limit)) as unknown as Fragment;
	return sql`${head(sql)}
		union all
		(select ${columns(sql)} from events
			where tx > ${from.last.toString()}::xid8 and ${bound}
				and tx <> all(${toArray(upTo.holes)}::xid8[])
			order by events.tx desc, events.id desc limit ${rows})`;
}

/** Runs `missedQuery`; `rows` newest first. */
export async function readMissed(
	sql: Sql,
	from: Cursor,
	upTo: Cursor,
	before: Pick<Row, 'tx' | 'id'> | null,
	limit = CHUNK,
): Promise<{ head: Head; rows: Row[] }> {
	const { head, rows } = split(await sql<Raw[]>`${missedQuery(sql, from, upTo, before, limit)}`);
	return { head, rows: rows.sort((a, b) => byPosition(b, a)) };
}

/** What its properties have as JSON: about what they have in a frame. */
export function toBytes({ properties }: Pick<Row, 'properties'>): number {
	return JSON.stringify(properties).length;
}

/**
 * The rows of these transactions, which are committed and seen, by (tx, id): what a position has in its holes. Null when there are more
 * than the limits allow; no more than CHUNK beyond them were read.
 */
export async function readTransactions(
	sql: Sql,
	txs: readonly bigint[],
	limits: { rows: number; bytes: number },
): Promise<Row[] | null> {
	const rows: Row[] = [];
	let bytes = 0;
	if (txs.length === 0) return rows;
	for (;;) {
		const { tx, id } = rows.at(-1) ?? { tx: 0n, id: 0 };
		const raw = await sql<Raw[]>`
			select ${columns(sql)} from events
			where tx = any(${toArray(txs)}::xid8[]) and (tx, id) > (${tx.toString()}::xid8, ${id}::bigint)
			order by events.tx, events.id limit ${CHUNK}`;
		for (const row of raw.map(toRow)) {
			rows.push(row);
			bytes += toBytes(row);
			if (rows.length > limits.rows || bytes > limits.bytes) return null;
		}
		if (raw.length < CHUNK) return rows;
	}
}

/** The next rows of one transaction that is committed and seen, by id: a transaction larger than CHUNK is read in pieces. */
export async function readTransaction(
	sql: Sql,
	tx: bigint,
	afterId: number,
	limit = CHUNK,
): Promise<Row[]> {
	const raw = await sql<Raw[]>`
		select ${columns(sql)} from events where tx = ${tx.toString()}::xid8 and id > ${afterId}
		order by events.id limit ${limit}`;
	return raw.map(toRow);
}

/** A row as the feed shows it. */
export function toActivityEvent(row: Row): ActivityEvent {
	return {
		id: row.id,
		eventId: row.eventId,
		name: row.name,
		source: row.source,
		sessionId: row.sessionId,
		properties: row.properties,
		createdAt: new Date(row.createdAt).toISOString(),
	};
}

export function toRow(raw: Raw): Row {
	return {
		tx: BigInt(raw.tx as string),
		id: Number(raw.id),
		eventId: raw.event_id,
		name: raw.name,
		source: raw.source,
		sessionId: raw.session_id,
		properties: raw.properties as Row['properties'],
		createdAt: raw.created_at.getTime(),
	};
}

export function toHead(json: Json): Head {
	const { snapshot, at, epoch, identity, here, deletedThrough, recount } = json as Record<
		string,
		unknown
	>;
	return {
		snapshot: parseSnapshot(String(snapshot)),
		at: Number(at),
		epoch: epoch === null ? null : String(epoch),
		identity: identity === null ? null : String(identity),
		here: String(here),
		deletedThrough: deletedThrough === null ? null : BigInt(String(deletedThrough)),
		recount: recount === true,
	};
}
