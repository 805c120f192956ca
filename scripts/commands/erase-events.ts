/** What `npm run erase` understands, does and says. Ends no process and opens no database. */
import { parseArgs } from 'node:util';
import type { Sql } from '../../src/lib/server/db/connect';

/** Of one session, or of a time, `from` included and `to` not; of one source, or of all. */
export type Erasing = {
	session: string | null;
	from: Date | null;
	to: Date | null;
	source: string | null;
};
export type ParsedErasing =
	{ ok: true; erasing: Erasing; sure: boolean } | { ok: false; errors: string[] };

export const USAGE = `npm run erase -- --session <id> [--source shop] [--yes]
npm run erase -- --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z [--source shop] [--yes]`;

/** Rows of one statement: short transactions, so that nothing waits. */
export const ERASE_CHUNK = 5_000;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** @param args what stands behind `npm run erase --` */
export function parseErasing(args: string[]): ParsedErasing {
	let given;
	try {
		given = parseArgs({
			args,
			options: {
				session: { type: 'string' },
				from: { type: 'string' },
				to: { type: 'string' },
				source: { type: 'string' },
				yes: { type: 'boolean', default: false },
			},
		});
	} catch (error) {
		return { ok: false, errors: [error instanceof Error ? error.message : String(error)] };
	}
	const { values } = given;
	const errors: string[] = [];
	function time(name: 'from' | 'to'): Date | null {
		const text = values[name];
		if (text === undefined) return null;
		if (TIME.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text);
		errors.push(
			`--${name} is "${text}" and must be an ISO 8601 date and time with a zone, such as 2026-01-31T12:00:00Z.`,
		);
		return null;
	}
	const { session = null, source = null, yes: sure } = values;
	const [from, to] = [time('from'), time('to')];
	for (const [name, value] of Object.entries({ session, source }))
		if (value === '') errors.push(`--${name} is empty and must say which.`);
	const ranged = values.from !== undefined || values.to !== undefined;
	if (session !== null && ranged)
		errors.push('--session and --from, --to are given, and one way to choose is enough.');
	if (session === null && (values.from === undefined || values.to === undefined))
		errors.push('What to erase must be said: --session, or --from and --to.');
	if (from && to && from >= to)
		errors.push(`--from is ${from.toISOString()} and must be before --to, ${to.toISOString()}.`);
	return errors.length > 0
		? { ok: false, errors }
		: { ok: true, erasing: { session, from, to, source }, sure };
}

const toCondition = (sql: Sql, { session, from, to, source }: Erasing) => sql`
	(${session}::text IS NULL OR session_id = ${session})
	AND (${from}::timestamptz IS NULL OR created_at >= ${from})
	AND (${to}::timestamptz IS NULL OR created_at < ${to})
	AND (${source}::text IS NULL OR source = ${source})`;

/** How many rows there are of it now. */
export async function countErasing(sql: Sql, erasing: Erasing): Promise<number> {
	const [row] = await sql<{ count: string }[]>`
		SELECT count(*) FROM ${sql.schema}.events WHERE ${toCondition(sql, erasing)}`;
	return Number(row?.count);
}

/**
 * Erases the events and who is here of them, and renews the epoch in the transaction of the last rows. Without that, instances
 * would resend erased events from memory, and keep them in the feed of a source. It renews the epoch even
 * when no row is left: an earlier run may have been interrupted before its end.
 * @param onProgress after each chunk but the last, with the number erased so far
 * @returns the number of rows erased
 */
export async function erase(
	sql: Sql,
	erasing: Erasing,
	onProgress: (rows: number) => void = () => {},
	chunk = ERASE_CHUNK,
): Promise<number> {
	let erased = 0;
	for (let last = false; !last;) {
		await sql.begin(async (tx) => {
			const { count } = await tx`
				DELETE FROM ${tx.schema}.events WHERE id IN (
					SELECT id FROM ${tx.schema}.events WHERE ${toCondition(sql, erasing)} LIMIT ${chunk}
				)`;
			erased += count;
			last = count < chunk;
			if (!last) return;
			await tx`
				DELETE FROM ${tx.schema}.presence WHERE (${erasing.session}::text IS NULL OR session_id = ${erasing.session})
					AND (${erasing.from}::timestamptz IS NULL OR heard_at >= ${erasing.from})
					AND (${erasing.to}::timestamptz IS NULL OR heard_at < ${erasing.to})
					AND (${erasing.source}::text IS NULL OR source = ${erasing.source})`;
			await tx`SELECT ${tx.schema}.nowboard_renew_epoch()`;
			await tx`INSERT INTO ${tx.schema}.audit (action, subject) VALUES ('events erased', ${toSubject(erasing, erased)})`;
		});
		if (!last) onProgress(erased);
	}
	return erased;
}

/** A session's id is not written down: it is what was to be forgotten. */
function toSubject({ session, from, to, source }: Erasing, count: number): string {
	const what =
		session === null ? `from ${from?.toISOString()} to ${to?.toISOString()}` : 'of a session';
	return `${count} ${what}${source === null ? '' : `, of ${source}`}`;
}
