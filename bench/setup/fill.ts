/** Page views as the tracker sends them, by the million: made by Postgres, from some thousand different ones. */
import type { Sql } from '../../src/lib/server/db/connect';
import { createRows } from '../views/rows';

const KINDS = 20_000;
const AT_ONCE = 2_000;
const SEED = 17;

/** Makes what `insertRows` draws from. */
export async function createKinds(sql: Sql): Promise<void> {
	await sql`create table if not exists kinds
		(n int primary key, name text, source text, session_id text, properties jsonb, context jsonb)`;
	const next = createRows(SEED);
	for (let n = 0; n < KINDS; n += AT_ONCE) {
		const rows = Array.from({ length: AT_ONCE }, (_, i) => {
			const { name, source, sessionId, properties, context } = next();
			const { path, referrer } = properties;
			return {
				n: n + i,
				name,
				source,
				session_id: sessionId,
				properties: { path, referrer },
				context,
			};
		});
		await sql`insert into kinds select * from jsonb_to_recordset(${sql.json(rows as never)})
			as row(n int, name text, source text, session_id text, properties jsonb, context jsonb)
			on conflict do nothing`;
	}
}

/**
 * Inserts so many rows in one transaction.
 * @param spreadMs over which their times lie, back from now
 * @param lastId the event id of the newest row
 */
export async function insertRows(
	sql: Sql,
	count: number,
	spreadMs: number,
	lastId: string,
): Promise<void> {
	await sql`
		insert into nowboard.events (event_id, name, source, session_id, properties, context, created_at)
		select case when i = ${count}::int then ${lastId}::uuid else gen_random_uuid() end, name, source,
			session_id || '-' || i / ${KINDS}::int, properties, context,
			now() - ${spreadMs}::float8 * random() * interval '1 ms'
		from generate_series(1, ${count}::int) i join kinds on n = i % ${KINDS}::int order by i`;
}
