/** What `npm run erase` understands, does and says. Ends no process and opens no database. */
import { parseArgs } from 'node:util';
import { toArray } from '../../src/lib/server/db/array';
import type { Sql } from '../../src/lib/server/db/connect';

/** Of one session, of one user, or of a time, `from` included and `to` not; of one source, or of all. */
export type Erasing = {
	session: string | null;
	user: string | null;
	from: Date | null;
	to: Date | null;
	source: string | null;
};
export type ParsedErasing =
	{ ok: true; erasing: Erasing; sure: boolean } | { ok: false; errors: string[] };

export const USAGE = `npm run erase -- --session <id> [--source shop] [--yes]
npm run erase -- --user <id> [--source shop] [--yes]
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
				user: { type: 'string' },
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
	const { session = null, user = null, source = null, yes: sure } = values;
	const [from, to] = [time('from'), time('to')];
	for (const [name, value] of Object.entries({ session, user, source }))
		if (value === '') errors.push(`--${name} is empty and must say which.`);
	const ranged = values.from !== undefined || values.to !== undefined;
	const ways = [
		...(session === null ? [] : ['--session']),
		...(user === null ? [] : ['--user']),
		...(ranged ? ['--from, --to'] : []),
	];
	if (ways.length > 1)
		errors.push(`${ways.join(' and ')} are given, and one way to choose is enough.`);
	if (session === null && user === null && (values.from === undefined || values.to === undefined))
		errors.push('What to erase must be said: --session, --user, or --from and --to.');
	if (from && to && from >= to)
		errors.push(`--from is ${from.toISOString()} and must be before --to, ${to.toISOString()}.`);
	return errors.length > 0
		? { ok: false, errors }
		: { ok: true, erasing: { session, user, from, to, source }, sure };
}

/** Of a user also what their sessions sent before the site knew who it was, unless a session is of other users too. */
const toCondition = (sql: Sql, { session, user, from, to, source }: Erasing) => sql`
	(${session}::text IS NULL OR session_id = ${session})
	AND (${user}::text IS NULL OR user_id = ${user} OR user_id IS NULL AND session_id IN (${toSessions(sql, user)}))
	AND (${from}::timestamptz IS NULL OR created_at >= ${from})
	AND (${to}::timestamptz IS NULL OR created_at < ${to})
	AND (${source}::text IS NULL OR source = ${source})`;

const toSessions = (sql: Sql, user: string | null) => sql`
	SELECT of_user.session_id FROM ${sql.schema}.events AS of_user
	WHERE of_user.user_id = ${user} AND of_user.session_id IS NOT NULL AND NOT EXISTS (
		SELECT FROM ${sql.schema}.events AS of_others
		WHERE of_others.session_id = of_user.session_id AND of_others.user_id <> ${user}
	)`;

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
	const { session, user, from, to, source } = erasing;
	const sessions = user === null ? [] : await sql`${toSessions(sql, user)}`;
	const ids = toArray(sessions.map((row) => String(row.session_id)));
	let erased = 0;
	for (let last = false; !last;) {
		await sql.begin(async (tx) => {
			const { count } = await tx`
				DELETE FROM ${tx.schema}.events WHERE id IN (
					SELECT id FROM ${tx.schema}.events WHERE ${toCondition(sql, erasing)}
					${user === null ? tx`` : tx`ORDER BY user_id NULLS FIRST`} LIMIT ${chunk}
				)`;
			erased += count;
			last = count < chunk;
			if (!last) return;
			await tx`
				DELETE FROM ${tx.schema}.presence WHERE (${session}::text IS NULL OR session_id = ${session})
					AND (${user}::text IS NULL OR session_id = ANY (${ids}::text[]))
					AND (${from}::timestamptz IS NULL OR heard_at >= ${from})
					AND (${to}::timestamptz IS NULL OR heard_at < ${to})
					AND (${source}::text IS NULL OR source = ${source})`;
			await tx`SELECT ${tx.schema}.nowboard_renew_epoch()`;
			await tx`INSERT INTO ${tx.schema}.audit (action, subject) VALUES ('events erased', ${toSubject(erasing, erased)})`;
		});
		if (!last) onProgress(erased);
	}
	return erased;
}

/** The id of a session or user is not written down: it is what was to be forgotten. */
function toSubject({ session, user, from, to, source }: Erasing, count: number): string {
	const range = `from ${from?.toISOString()} to ${to?.toISOString()}`;
	const what = session !== null ? 'of a session' : user !== null ? 'of a user' : range;
	return `${count} ${what}${source === null ? '' : `, of ${source}`}`;
}
