/** Inserts what simulated visitors did in the past, with what ingest would have added to it. */
import type { Sql } from '../../src/lib/server/db/connect';
import { addContext } from '../../src/lib/server/ingest/context';
import type { VisitorEvent } from '../visitors/visitors';

/** `ageMs`: before `until` */
export type PastEvent = VisitorEvent & { eventId: string; ageMs: number };

/**
 * @param until default: the database's time
 * @returns how many were new: an id that is there already is left as it is
 */
export async function insertEvents(
	sql: Sql,
	events: readonly PastEvent[],
	until?: Date,
): Promise<number> {
	const known = addContext(events, null, () => ({}));
	const inserted = await sql`
		INSERT INTO ${sql.schema}.events (event_id, name, source, session_id, properties, context, created_at)
		SELECT "eventId"::uuid, name, source, "sessionId", properties, context,
			date_trunc('milliseconds', coalesce(${until ?? null}::timestamptz, now())) - "ageMs" * interval '1 millisecond'
		FROM jsonb_to_recordset(${sql.json(known as never)}::jsonb) AS past(
			"eventId" text, name text, source text, "sessionId" text, properties jsonb, context jsonb, "ageMs" float8)
		ON CONFLICT (event_id) DO NOTHING`;
	return inserted.count;
}
