/**
 * What earlier builds say to the database, kept as they said it: a newer schema must go on answering, because old and new
 * instances run side by side while a new version is rolled out. When a statement of ours changes, its former wording comes here.
 */
import type { Sql } from '../../src/lib/server/db/connect';

/** Ingest before its timeouts travelled with it (migrations 0000 and 0001). */
export async function insertAsFirstBuild(sql: Sql, names: readonly string[]): Promise<number> {
	const json = JSON.stringify(
		names.map((name) => ({
			event_id: crypto.randomUUID(),
			name,
			source: 'older',
			session_id: 's-1',
			properties: { n: 1 },
			created_at: null,
		})),
	);
	const inserted = await sql`
		WITH settings AS MATERIALIZED (
			SELECT set_config('lock_timeout', ${'250ms'}, true)
		), arrived AS MATERIALIZED (
			SELECT
				nextval('events_id_seq') AS id, event_id, name, source, session_id, properties,
				least(created_at, date_trunc('milliseconds', clock_timestamp())) AS created_at
			FROM jsonb_to_recordset(${json}::text::jsonb) AS (
				event_id uuid, name text, source text, session_id text, properties jsonb, created_at timestamptz
			)
		)
		INSERT INTO events (id, event_id, name, source, session_id, properties, created_at)
		SELECT id, event_id, name, source, session_id, properties, created_at
		FROM arrived, settings
		ORDER BY event_id
		ON CONFLICT (event_id) DO NOTHING
		RETURNING event_id`;
	return inserted.length;
}

/** The documented way for other programs. */
export async function insertByHand(sql: Sql, name: string): Promise<number> {
	const rows =
		await sql`INSERT INTO events (name, properties) VALUES (${name}, '{"total": 42}') RETURNING id`;
	return rows.length;
}

/** A drain before deletions were recognised (migrations 0000 and 0001). @returns the names it found, in order */
export async function drainAsFirstBuild(sql: Sql, last: bigint): Promise<string[]> {
	const rows = await sql<{ tx: string | null; name: string; properties: { epoch?: string } }[]>`
		select null::text as tx, null::bigint as id, null::uuid as event_id, null::text as name, null::text as source,
			null::text as session_id, jsonb_build_object(
				'snapshot', pg_current_snapshot()::text,
				'at', floor(extract(epoch from clock_timestamp()) * 1000),
				'epoch', (select value from meta where key = 'epoch'),
				'identity', (select value from meta where key = 'identity'),
				'here', nowboard_identity()) as properties, null::timestamptz as created_at
		union all
		(select tx::text, id, event_id, name, source, session_id, properties, created_at from events
			where tx > ${last.toString()}::xid8 order by events.tx, events.id limit 2000)`;
	const [head, ...found] = rows;
	if (head?.tx !== null || !head.properties.epoch) throw new Error('there is no head');
	return found.map(({ name }) => name);
}

/** A tick. @returns how many were recorded */
export async function tickAsFirstBuild(sql: Sql, tick: number): Promise<number> {
	const { count } = await sql`
		insert into metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		values (${tick}, ${1}, ${2}, ${3}, ${4}, ${new Date()}, ${'x-1'})
		on conflict (tick) do nothing`;
	return count;
}
