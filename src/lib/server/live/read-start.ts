/**
 * Reads what a process needs to begin: the head, the newest rows for the feed, and every row of the windows, in one snapshot.
 */
import type { Sql } from 'postgres';
import type { Json } from '../../protocol';
import type { WindowRow } from './windows';
import { CHUNK, columns, head, toHead, toRow, type Head, type Raw, type Row } from '../reader/rows';
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
		const [first] = await sql<Raw[]>`${head(sql)}`;
		const found = toHead(first?.properties ?? null);
		const newest = await sql<Raw[]>`
			select ${columns(sql)} from (
				select *, row_number() over (partition by source order by tx desc, id desc) as place
				from (select * from events order by events.tx desc, events.id desc limit ${RECENT}) recent
			) ranked where place <= ${feedLength} order by ranked.tx desc, ranked.id desc`;
		const pieces = sql<StartRow[]>`
			select name, source, session_id as "sessionId", properties -> 'path' as path,
				properties -> 'referrer' as referrer, properties -> 'slash' as slash, extract(epoch from created_at)::float8 * 1000 as at
			from events where created_at > to_timestamp(${(found.at - windowMs) / 1000})`.cursor(CHUNK);
		for await (const piece of pieces)
			visit(
				piece.map(({ path, referrer, slash, at, ...row }) =>
					toWindowRow({ ...row, properties: { path, referrer, slash }, createdAt: Math.round(at) }),
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
