/**
 * Finds out why a statement was too slow: asks `pg_locks`, which a lock on our tables does not block, whether it waits for one.
 * One short query after a failure, none before.
 */
import type { Sql } from 'postgres';
import type { DatabaseTrouble } from '../../protocol';
import { DeadlineError, withDeadline } from './deadline';
import { toDatabaseTrouble } from './errors';

const DEADLINE_MS = 1_000;

/** Never rejects. @param connect makes the client for this one query */
export async function explain(error: unknown, connect: () => Sql): Promise<DatabaseTrouble> {
	const trouble = toDatabaseTrouble(error);
	if (trouble !== 'slow') return trouble;
	const sql = connect();
	try {
		const locks = await withDeadline(
			// copies of a database have the same oids: pg_locks must be asked for this one
			sql`select from pg_locks where relation = to_regclass('events') and not granted
				and database = (select oid from pg_database where datname = current_database()) limit 1`,
			DEADLINE_MS,
			'asking for locks',
		);
		return locks.length > 0 ? 'locked' : 'slow';
	} catch (second) {
		// a server that cancels this query too (57014) has answered: only silence means unreachable
		return second instanceof DeadlineError ? 'unreachable' : toDatabaseTrouble(second);
	} finally {
		sql.end({ timeout: 0 }).catch(() => {});
	}
}
