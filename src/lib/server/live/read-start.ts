/**
 * Reads what a process needs to begin: the head, the newest rows for the feed, and every row of the windows, in one snapshot.
 */
import type { Sql } from '../db/connect';
import type { Json } from '../../protocol';
import type { WindowRow } from './windows';
import { toRow, type RawRow, type Row } from '../reader/row';
import { CHUNK, columns, headQuery, toHead, type Head } from '../reader/rows';
import { toMs } from '../db/time';
import { toWindowRow } from './window-row';

/** Newest rows among which each source's share of the feed is looked for. */
const RECENT = 5_000;

/** `last`: the newest transaction that was ever there, also when its rows are deleted by now. */
type Start = { head: Head; last: bigint; newest: Row[] };

/**
 * Everything a process needs to begin, in one snapshot (repeatable read): the head, the newest transaction, the newest
 * `feedLength` rows of each source (newest first), and every row younger than `windowMs`, visited in pieces with the
 * time of the head.
 */
export async function readStart(
	sql: Sql,
	{ windowMs, feedLength }: { windowMs: number; feedLength: number },
	visit: (rows: WindowRow[], at: number) => void,
): Promise<Start> {
	return (await sql.begin('isolation level repeatable read read only', async (tx) => {
		const sql = tx as unknown as Sql;
		// it may take seconds, and a role with a low limit would never start
		await tx`set local statement_timeout = 0`;
		const [first] = await sql<[{ head: string }]>`${headQuery(sql)}`;
		const found = toHead(first.head);
		const newest = await sql<RawRow[]>`
			select ${columns(sql)} from (
				select *, row_number() over (partition by source order by tx desc, id desc) as place
				from (select * from ${sql.schema}.events order by events.tx desc, events.id desc limit ${RECENT}) recent
			) ranked where place <= ${feedLength} order by ranked.tx desc, ranked.id desc`;
		const pieces = sql<StartRow[]>`
			select name, source, session_id as "sessionId", properties -> 'path' as path,
				properties -> 'referrer' as referrer, properties -> 'slash' as slash,
				${toMs(sql, 'created_at')} as at
			from ${sql.schema}.events
			where created_at > to_timestamp(${(found.at - windowMs) / 1000}) and created_at < 'infinity'
		`.cursor(CHUNK);
		for await (const piece of pieces)
			visit(
				piece.map(({ path, referrer, slash, at, ...row }) =>
					toWindowRow({ ...row, properties: { path, referrer, slash }, createdAt: at }),
				),
				found.at,
			);
		const rows = newest.map(toRow);
		const last = [rows[0]?.tx ?? 0n, found.deletedThrough ?? 0n].reduce((a, b) => (a > b ? a : b));
		return { head: found, last, newest: rows };
	})) as Start;
}

type StartRow = {
	name: string;
	source: string;
	sessionId: string | null;
	path: Json;
	referrer: Json;
	slash: Json;
	at: number;
};
