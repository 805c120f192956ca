/**
 * The SQL that reads `events` by cursor: the shape of the reading statements, and what comes of them. No frames, no clients.
 * Two traps. The snapshot and the rows must come from one statement, or a commit between two statements is never read. And
 * the two index scans stay apart (UNION ALL): OR with ORDER BY walks the whole index.
 */
import type { Fragment } from 'postgres';
import type { Sql } from '../db/connect';
import { parseSnapshot, type Cursor, type Snapshot } from './cursor';
import { toArray } from '../db/array';
import { toMs } from '../db/time';
import { toRow, type RawRow, type Row } from './row';

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
	/** the figures or the feed hold deleted rows: every reader starts over */
	recount: boolean;
};

/** Rows read at once: bounds memory and the length of a statement, and makes the planner take the index without statistics. */
export const CHUNK = 2_000;

const MAX_ID = '9223372036854775807';

/** Of `events`, as `toRow` takes them: times as numbers, which do not depend on DateStyle or TimeZone. */
export const columns = (sql: Sql) => sql`
	tx::text, id, event_id, name, source, session_id, user_id, properties::text, context::text,
	${toMs(sql, 'created_at')} as created_at`;

/** One row with one column, `head`: what `toHead` takes. */
export const headQuery = (sql: Sql) => sql`
	select jsonb_build_object(
		'snapshot', pg_current_snapshot()::text,
		'at', floor(extract(epoch from clock_timestamp()) * 1000),
		'epoch', (select value from ${sql.schema}.meta where key = 'epoch'),
		'identity', (select value from ${sql.schema}.meta where key = 'identity'),
		'here', ${sql.schema}.nowboard_identity(),
		'deletedThrough', (select through::text from ${sql.schema}.deletions order by deletions.through desc limit 1),
		'recount', exists (select from ${sql.schema}.deletions where recount)
	)::text as head`;

/** The head and `rows` in one statement: FULL JOIN on nothing gives a row for the head, then one for each of `rows`. */
const withHead = (sql: Sql, rows: Fragment) => sql`
	with head as materialized (${headQuery(sql)}), found as (${rows})
	select * from head full join found on false`;

/** A number as a literal: then a generic plan knows it too. */
const literal = (sql: Sql, number: number) => sql.unsafe(String(number)) as unknown as Fragment;

/**
 * The head, and the first `limit` rows that `from` has not seen, by (tx, id): first what was open when it left, then what is
 * newer. A test holds the plan: at any size of the table it touches the unseen rows only, and none of those passed over.
 * @param passed transactions that are passed over; ascending
 */
export function unseenQuery(
	sql: Sql,
	from: Cursor,
	limit: number,
	passed: readonly bigint[] = [],
): Fragment {
	const first = (condition: Fragment) => sql`
		(select ${columns(sql)} from ${sql.schema}.events where ${condition}
			order by events.tx, events.id limit ${literal(sql, limit)})`;
	const holes = from.holes.filter((hole) => !passed.includes(hole));
	let query = first(sql`tx = any(${toArray(holes)}::xid8[])`);
	// between two that are passed over: a condition that only leaves them out would walk over their rows
	let after = from.last;
	for (const tx of passed.filter((tx) => tx > from.last)) {
		query = sql`${query} union all
			${first(sql`tx > ${after.toString()}::xid8 and tx < ${tx.toString()}::xid8`)}`;
		after = tx;
	}
	return withHead(sql, sql`${query} union all ${first(sql`tx > ${after.toString()}::xid8`)}`);
}

/** Runs `unseenQuery`. `rows` is in ascending order of (tx, id); `full` says that the limit cut it off. */
export async function readUnseen(
	sql: Sql,
	from: Cursor,
	passed: readonly bigint[] = [],
	limit = CHUNK,
): Promise<{ head: Head; rows: Row[]; full: boolean }> {
	const { head, rows } = split(await sql<Found[]>`${unseenQuery(sql, from, limit, passed)}`);
	rows.sort(byPosition);
	const full = rows.length >= limit;
	rows.length = Math.min(rows.length, limit);
	return { head, rows, full };
}

type Found = ({ head: string } & { [Column in keyof RawRow]: null }) | ({ head: null } & RawRow);

function split(found: readonly Found[]): { head: Head; rows: Row[] } {
	const rows: Row[] = [];
	let head: Head | undefined;
	for (const one of found) {
		if (one.head === null) rows.push(toRow(one));
		else head = toHead(one.head);
	}
	if (!head) throw new Error('the reading statement returned no head');
	return { head, rows };
}

function byPosition(a: Row, b: Row): number {
	if (a.tx === b.tx) return a.id < b.id ? -1 : 1;
	return a.tx < b.tx ? -1 : 1;
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
	// a row comparison: with two plain bounds the planner expects so few rows that it sorts all of them
	const bound = before
		? sql`(tx, id) < (${before.tx.toString()}::xid8, ${before.id.toString()}::bigint)`
		: sql`(tx, id) <= (${upTo.last.toString()}::xid8, ${MAX_ID}::bigint)`;
	return withHead(
		sql,
		sql`select ${columns(sql)} from ${sql.schema}.events
			where tx > ${from.last.toString()}::xid8 and ${bound}
				and tx <> all(${toArray(upTo.holes)}::xid8[])
			order by events.tx desc, events.id desc limit ${literal(sql, limit)}`,
	);
}

/** Runs `missedQuery`; `rows` newest first. */
export async function readMissed(
	sql: Sql,
	from: Cursor,
	upTo: Cursor,
	before: Pick<Row, 'tx' | 'id'> | null,
	limit = CHUNK,
): Promise<{ head: Head; rows: Row[] }> {
	const { head, rows } = split(await sql<Found[]>`${missedQuery(sql, from, upTo, before, limit)}`);
	return { head, rows: rows.sort((a, b) => byPosition(b, a)) };
}

/**
 * The rows of these transactions, which are committed and seen, by (tx, id): what a position has in its holes. Null when there
 * are more than the limits allow; no more than CHUNK beyond them were read.
 * @param limits `bytes` of properties
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
		const last = rows.at(-1);
		const after = last
			? sql`(tx, id) > (${last.tx.toString()}::xid8, ${last.id.toString()}::bigint)`
			: sql`true`;
		const raw = await sql<RawRow[]>`
			select ${columns(sql)} from ${sql.schema}.events
			where tx = any(${toArray(txs)}::xid8[]) and ${after}
			order by events.tx, events.id limit ${CHUNK}`;
		for (const row of raw.map(toRow)) {
			rows.push(row);
			bytes += row.size;
			if (rows.length > limits.rows || bytes > limits.bytes) return null;
		}
		if (raw.length < CHUNK) return rows;
	}
}

/**
 * The next rows of one committed transaction, by id: one larger than CHUNK is read in pieces.
 * @param afterId null: the first ones
 */
export async function readTransaction(
	sql: Sql,
	tx: bigint,
	afterId: bigint | null,
	limit = CHUNK,
): Promise<Row[]> {
	const isNext = afterId === null ? sql`true` : sql`id > ${afterId.toString()}::bigint`;
	const raw = await sql<RawRow[]>`
		select ${columns(sql)} from ${sql.schema}.events
		where tx = ${tx.toString()}::xid8 and ${isNext}
		order by events.id limit ${limit}`;
	return raw.map(toRow);
}

/** @param text what `headQuery` returns */
export function toHead(text: string): Head {
	const head = JSON.parse(text) as {
		snapshot: string;
		at: number;
		epoch: string | null;
		identity: string | null;
		here: string;
		deletedThrough: string | null;
		recount: boolean;
	};
	return {
		...head,
		snapshot: parseSnapshot(head.snapshot),
		deletedThrough: head.deletedThrough === null ? null : BigInt(head.deletedThrough),
	};
}
