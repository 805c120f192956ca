/**
 * The one statement that ingest writes, and what an error of it means. Both sorts are needed: rows go in by event id, because
 * two groups that take the same ids in opposite orders deadlock; row ids are handed out before that, in the order of arrival,
 * because the feed shows rows by id.
 */
import type { Sql } from '../db/connect';
import { stringifyExact } from '../db/exact-json';
import type { InputEvent } from './parse-events';

/** An event with its id, as text that is written once and then only joined. */
export type Row = { eventId: string; json: string };

/** @param eventId of the sender, or made for it */
export function toRow(event: InputEvent, eventId: string): Row {
	const { name, source, sessionId, userId, properties, context, createdAt } = event;
	const row = {
		event_id: eventId,
		name,
		source,
		session_id: sessionId,
		user_id: userId,
		properties,
		context,
		created_at: createdAt,
	};
	return { eventId, json: stringifyExact(row) };
}

/**
 * Inserts rows in a transaction of their own and answers, after its commit, with the event ids that were new.
 * The statements travel as one message of the simple protocol: one transaction and one round trip, also behind a
 * transaction pooler, and nothing set outlives them. `set_config(…, true)` inside the INSERT would come too late for the
 * lock on the table, and parameters would cost a second round trip where statements cannot be prepared.
 * `least` skips NULL: no timestamp means now, and one ahead of the database's clock is now as well.
 * @param rows in order of arrival, each event id once
 */
export async function insertEvents(
	sql: Sql,
	rows: readonly Row[],
	{ lockTimeoutMs, statementTimeoutMs }: { lockTimeoutMs: number; statementTimeoutMs: number },
): Promise<Set<string>> {
	const json = `[${rows.map((row) => row.json).join(',')}]`;
	const results: unknown = await sql
		.unsafe(
			`SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
			SET LOCAL lock_timeout = ${Math.ceil(lockTimeoutMs)};
			SET LOCAL statement_timeout = ${Math.ceil(statementTimeoutMs)};
			WITH arrived AS MATERIALIZED (
				SELECT
					nextval('${sql.schema}.events_id_seq') AS id, event_id, name, source, session_id, user_id, properties, context,
					least(created_at, date_trunc('milliseconds', clock_timestamp())) AS created_at
				FROM jsonb_to_recordset(${toLiteral(json)}::jsonb) AS (
					event_id uuid, name text, source text, session_id text, user_id text, properties jsonb, context jsonb,
					created_at timestamptz
				)
			)
			INSERT INTO ${sql.schema}.events (id, event_id, name, source, session_id, user_id, properties, context, created_at)
			SELECT id, event_id, name, source, session_id, user_id, properties, context, created_at
			FROM arrived
			ORDER BY event_id
			ON CONFLICT (event_id) DO NOTHING
			RETURNING event_id`,
		)
		.simple();
	// postgres.js folds the results of the SETs into one; the last is the INSERT's
	const inserted = (results as { event_id: string }[][]).at(-1) ?? [];
	return new Set(inserted.map((row) => row.event_id));
}

/** Text as an SQL constant, the same whatever `standard_conforming_strings` says. It must not contain NUL; JSON does not. */
export function toLiteral(text: string): string {
	return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/**
 * `data`: the rows can never go in. `lock`: another transaction is in the way, now.
 * `away`: the database cannot be reached or used; whether the rows went in may be unknown.
 */
export type Trouble = 'data' | 'lock' | 'away';

/** Class 22 (data exception), 23 (constraint); deadlock, lock timeout, serialization failure; everything else. */
export function toTrouble(error: unknown): Trouble {
	const code = sqlState(error);
	if (code.startsWith('22') || code.startsWith('23')) return 'data';
	return ['40P01', '55P03', '40001'].includes(code) ? 'lock' : 'away';
}

function sqlState(error: unknown): string {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	return typeof code === 'string' ? code : '';
}
