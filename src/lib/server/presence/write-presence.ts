/**
 * The statement that writes what was said of sessions since the last one, and the one that deletes what is over.
 * A heartbeat that changes nothing costs no row: all of a group together are one row of `presence_beats`.
 */
import type { Sql } from '../db/connect';
import { LATE_MS, toPresenceId, type Said } from './presence-row';

/** `heardAgoMs`: since the request came. */
export type Heard = Said & { heardAgoMs: number };

/** A row is written again after so long, so that one that was not may be deleted. */
const REWRITE_S = 300;
/** Beyond REWRITE_S and a few heartbeats. */
const KEPT_S = REWRITE_S + 60;
/** Longer than any reader looks back. */
const OVER_S = 60;
const DELETED_AT_ONCE = 5_000;

/** Writes what was heard in one statement. States of one session that overtake each other are put in order. */
export async function writePresence(sql: Sql, heard: readonly Heard[]): Promise<void> {
	const json = JSON.stringify(heard.map(toJson));
	const late = (older: string, newer: string) =>
		sql.unsafe(`(${older} < ${newer} and ${older} >= ${newer} - interval '${LATE_MS} ms')`);
	await sql`
		with clock as materialized (select date_trunc('milliseconds', clock_timestamp()) as at),
		said as materialized (
			select said.*, clock.at as now, heard.at as heard_at,
				heard.at - idle * interval '1 ms' as input_at,
				case when gone then heard.at end as left_at,
				least(coalesce(to_timestamp(stated_ms / 1000), heard.at), heard.at) as stated_at
			from clock, jsonb_to_recordset(${json}::text::jsonb) as said (
				id bigint, session_id text, source text, path text, origin jsonb, context jsonb, visible boolean, gone boolean,
				idle integer, ago_ms integer, stated_ms float8
			), lateral (select clock.at - ago_ms * interval '1 ms' as at) as heard
		),
		news as materialized (
			select said.*,
				not said.gone and known.left_at is null and known.visible = said.visible
					and known.path is not distinct from said.path and known.context is not distinct from said.context
					and (said.origin is null or known.origin = said.origin)
					and known.written_at > said.now - ${REWRITE_S} * interval '1 s' as is_same
			from said left join ${sql.schema}.presence as known on known.id = said.id
			where known.id is null
				or (not ${late('said.stated_at', 'known.stated_at')} or said.gone and not known.visible) and not (known.left_at is not null and (said.gone or not said.visible))
		),
		written as (
			insert into ${sql.schema}.presence as known
				(id, session_id, source, path, origin, context, visible, input_at, heard_at, left_at, stated_at, written_at)
			select id, session_id, source, path, origin, context, visible, input_at, heard_at, left_at, stated_at, now
			from news where is_same is not true order by id
			on conflict (id) do update set
				path = case when excluded.left_at is null then excluded.path else known.path end,
				context = case when excluded.left_at is null then excluded.context else known.context end,
				visible = case when excluded.left_at is null then excluded.visible else known.visible end,
				input_at = case when excluded.left_at is null then greatest(excluded.input_at, known.input_at) else known.input_at end,
				origin = coalesce(excluded.origin, known.origin),
				heard_at = greatest(excluded.heard_at, known.heard_at),
				left_at = excluded.left_at,
				stated_at = excluded.stated_at,
				written_at = excluded.written_at
			where not ${late('excluded.stated_at', 'known.stated_at')}
				or excluded.left_at is not null and not known.visible
		)
		insert into ${sql.schema}.presence_beats (at, heard, idle)
		select min(now), array_agg(id order by id), array_agg(idle order by id)
		from news where is_same having count(*) > 0`;
}

/** @returns whether anything is left */
export async function deleteGone(sql: Sql): Promise<boolean> {
	await sql`
		delete from ${sql.schema}.presence where id in (
			select id from ${sql.schema}.presence
			where written_at < clock_timestamp() - ${KEPT_S} * interval '1 s'
				or left_at < clock_timestamp() - ${OVER_S} * interval '1 s'
			limit ${DELETED_AT_ONCE} for update skip locked
		)`;
	await sql`
		delete from ${sql.schema}.presence_beats where at < clock_timestamp() - ${OVER_S} * interval '1 s'`;
	const [row] = await sql<
		[{ left: boolean }]
	>`select exists (select from ${sql.schema}.presence) as left`;
	return row.left;
}

function toJson(said: Heard) {
	return {
		id: toPresenceId(said),
		session_id: said.sessionId,
		source: said.source,
		path: said.path,
		origin: said.origin,
		context: said.context,
		visible: said.state === 'visible',
		gone: said.state === 'gone',
		idle: Math.round(said.idleMs),
		ago_ms: Math.round(said.heardAgoMs),
		stated_ms: said.statedAt,
	};
}
