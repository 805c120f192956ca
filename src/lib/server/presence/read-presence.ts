/** Reads who is here: every row at first and now and then, else what was written since the last time. One query. */
import type { Sql } from '../db/connect';
import { LOST_MS } from '../../presence';
import { CONTEXT_KEYS, type EventContext } from '../../protocol';
import type { PresenceRow } from './presence-row';

/** One group of heartbeats: sessions by id, and ms since the last input of each. */
export type Beats = { id: string; at: number; heard: string[]; idle: (number | null)[] };
export type Reading = { at: number; rows: PresenceRow[]; beats: Beats[] };

/** A group that took so long to commit is still seen; one that took longer is read with all. */
const OVERLAP_MS = 4_000;
/** Rows are written again every five minutes while their session is here (write-presence.ts). */
export const ALL_MS = 6 * 60_000;
/** Rows that are read at most, the newest: a flood of made-up sessions must not fill the memory. */
const MAX_ROWS = 100_000;

/**
 * @param since database time of the last reading; null: everything
 * @param seen ids of groups of heartbeats that are known already
 */
export async function readPresence(
	sql: Sql,
	since: number | null,
	seen: readonly string[],
): Promise<Reading> {
	const ms = (column: string) => sql.unsafe(`floor(extract(epoch from ${column}) * 1000)`);
	const after = (ms: number) => sql`${ms} * interval '1 ms'`;
	const from =
		since === null
			? { rows: sql`clock.at - ${after(ALL_MS)}`, beats: sql`clock.at - ${after(LOST_MS)}` }
			: { rows: toTime(since - OVERLAP_MS), beats: toTime(since - OVERLAP_MS) };
	function toTime(at: number) {
		return sql`${new Date(at)}::timestamptz`;
	}
	const [row] = await sql<[{ at: string; rows: string | null; beats: string | null }]>`
		with clock as materialized (select clock_timestamp() as at)
		select ${ms('clock.at')}::text as at,
			(
				select json_agg(json_build_object(
					'id', id::text, 'source', source, 'sessionId', session_id, 'path', path, 'origin', origin, 'context', context,
					'visible', visible, 'heardAt', ${ms('heard_at')}, 'inputAt', ${ms('input_at')}, 'leftAt', ${ms('left_at')}
				))::text
				from (
					select * from ${sql.schema}.presence where written_at > ${from.rows} order by written_at desc limit ${MAX_ROWS}
				) as newest
			) as rows,
			(
				select json_agg(json_build_object(
					'id', id, 'at', ${ms('beats.at')}, 'heard', heard::text[], 'idle', idle
				) order by beats.at)::text
				from ${sql.schema}.presence_beats as beats
				where beats.at > ${from.beats} and id::text <> all (string_to_array(${seen.join()}, ','))
			) as beats
		from clock`;
	const parse = (json: string | null) => (json === null ? [] : (JSON.parse(json) as unknown[]));
	return {
		at: Number(row.at),
		rows: parse(row.rows).map((raw) => toPresenceRow(raw as Raw)),
		beats: parse(row.beats) as Beats[],
	};
}

type Raw = Omit<PresenceRow, 'origin' | 'context'> & { origin: unknown; context: unknown };

function toPresenceRow(raw: Raw): PresenceRow {
	return { ...raw, origin: toTexts(raw.origin), context: toContext(toTexts(raw.context)) };
}

/** Anything may stand in the column: only its texts are taken. */
function toTexts(found: unknown): { [key: string]: string } | null {
	if (typeof found !== 'object' || found === null || Array.isArray(found)) return null;
	const texts = Object.entries(found).filter(([, value]) => typeof value === 'string');
	return texts.length > 0 ? (Object.fromEntries(texts) as { [key: string]: string }) : null;
}

function toContext(texts: { [key: string]: string } | null): EventContext | null {
	const known = CONTEXT_KEYS.flatMap((key) => (texts?.[key] ? [[key, texts[key]] as const] : []));
	return known.length > 0 ? Object.fromEntries(known) : null;
}
