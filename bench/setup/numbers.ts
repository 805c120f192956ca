/** The events of benches: numbered, so that what is missing or comes twice can be told (load/tally.ts). */
import type { Sql } from '../../src/lib/server/db/connect';
import { nowUs } from '../load/tally';

/** Numbers are given out without gaps for the life of a server. */
export function createNumbers(): { take(count: number): number; next(): number } {
	let next = 0;
	return {
		take(count) {
			next += count;
			return next - count;
		},
		next: () => next,
	};
}
export type Numbers = ReturnType<typeof createNumbers>;

/**
 * One transaction with the numbers `from` to `from + count − 1`, and the time before it was sent.
 * @param schema of the table: `public` before version 0.2.0
 */
export async function insertNumbers(
	sql: Sql,
	from: number,
	count: number,
	schema = 'nowboard',
): Promise<void> {
	await sql`
		insert into ${sql(schema)}.events (name, source, properties)
		select 'bench', 'bench', jsonb_build_object('n', n, 't', ${nowUs()}::bigint)
		from generate_series(${from}::bigint, ${from + count - 1}::bigint) n`;
}
