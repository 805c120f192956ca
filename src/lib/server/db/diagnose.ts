/**
 * Why reading failed, asked where the error alone does not say: a statement that took too long may have waited for a lock, and
 * the catalogue, which is not locked, knows. Costs one short question after a failure, never before.
 */
import type { Sql } from 'postgres';
import type { DatabaseTrouble } from '../../protocol';
import { withDeadline } from './deadline';
import { toDatabaseTrouble } from './errors';

const DEADLINE_MS = 1_000;

/** Never rejects. @param connect makes a client of its own for the question */
export async function explain(error: unknown, connect: () => Sql): Promise<DatabaseTrouble> {
	const trouble = toDatabaseTrouble(error);
	if (trouble !== 'slow') return trouble;
	const sql = connect();
	try {
		const locks = await withDeadline(
			sql`select from pg_locks where relation = to_regclass('events') and not granted limit 1`,
			DEADLINE_MS,
			'asking for locks',
		);
		return locks.length > 0 ? 'locked' : 'slow';
	} catch (second) {
		// that the question is not answered either says more than that the statement was late
		const also = toDatabaseTrouble(second);
		return also === 'slow' ? 'unreachable' : also;
	} finally {
		sql.end({ timeout: 0 }).catch(() => {});
	}
}
