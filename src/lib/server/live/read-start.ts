/**
 * Reads what a process needs to begin, in one snapshot: the head, the newest rows for the feeds, and every row of the
 * half hour.
 */
import type { Sql } from '../db/connect';
import { toRow, type RawRow, type Row } from '../reader/row';
import { CHUNK, columns, headQuery, toHead, type Head } from '../reader/rows';
import { RECENT_EVENTS } from './state';
import type { StoreRow } from './window-store';

/** `last`: the newest transaction that was ever there, also when its rows are deleted. `newest` first. */
export type Start = { head: Head; last: bigint; newest: Row[] };

/** @param visit called with the rows that are younger than `windowMs`, in pieces, and with the time of the head */
export async function readStart(
	sql: Sql,
	{ windowMs }: { windowMs: number },
	visit: (rows: StoreRow[], at: number) => void,
): Promise<Start> {
	return (await sql.begin('isolation level repeatable read read only', async (tx) => {
		const sql = tx as unknown as Sql;
		// it may take seconds, and a role with a low limit would never start
		await tx`set local statement_timeout = 0`;
		const [first] = await sql<[{ head: string }]>`${headQuery(sql)}`;
		const head = toHead(first.head);
		const newest = await sql<RawRow[]>`
			select ${columns(sql)} from ${sql.schema}.events
			order by events.tx desc, events.id desc limit ${RECENT_EVENTS}`;
		const pieces = sql<RawRow[]>`
			select ${columns(sql)} from ${sql.schema}.events
			where created_at > to_timestamp(${(head.at - windowMs) / 1000}) and created_at < 'infinity'
		`.cursor(CHUNK);
		for await (const piece of pieces) visit(piece.map(toRow), head.at);
		const rows = newest.map(toRow);
		const last = [rows[0]?.tx ?? 0n, head.deletedThrough ?? 0n].reduce((a, b) => (a > b ? a : b));
		return { head, last, newest: rows };
	})) as Start;
}
