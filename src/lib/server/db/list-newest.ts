/** What the settings page lists of a table that only grows: a page stays a page, whatever was made and ended in years. */
import type { Sql } from './connect';
import { withDeadline } from './deadline';

export type Listed<Row> = {
	/** those that work first, each part the newest first */
	rows: Row[];
	/** how many there are beyond these */
	more: { working: number; ended: number };
};
type Fragment = ReturnType<Sql>;

/** Of those that work, and of those that have ended. */
export const LISTED = { working: 200, ended: 50 };
const DEADLINE_MS = 2_000;

/**
 * @param table has a column `id`, which grows
 * @param ended SQL that is true of a row that has ended, and false of one that works
 * @throws when the database does not answer in time
 */
export async function listNewest<Row extends object>(
	sql: Sql,
	table: string,
	columns: Fragment,
	ended: Fragment,
): Promise<Listed<Row>> {
	const part = (hasEnded: boolean, most: number) => sql`
		(SELECT ${columns}, ${hasEnded}::boolean AS "hasEnded", count(*) OVER ()::int AS total
		FROM ${sql.schema}.${sql(table)} WHERE (${ended}) = ${hasEnded} ORDER BY id DESC LIMIT ${most})`;
	const query = sql<(Row & { hasEnded: boolean; total: number })[]>`
		${part(false, LISTED.working)} UNION ALL ${part(true, LISTED.ended)}`;
	const listed: Listed<Row> = { rows: [], more: { working: 0, ended: 0 } };
	for (const { hasEnded, total, ...row } of await withDeadline(
		query,
		DEADLINE_MS,
		`listing ${table}`,
	)) {
		const name = hasEnded ? 'ended' : 'working';
		listed.more[name] = Math.max(0, total - LISTED[name]);
		listed.rows.push(row as unknown as Row);
	}
	return listed;
}
