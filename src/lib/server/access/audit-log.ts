/**
 * What was done to the doors: logins, share links, keys, what was erased. What changes a row is written beside it, in the same
 * statement; here is the rest, and how they are read. What was typed, and from where, is in none of them.
 */
import type { Sql } from '../db/connect';
import { withDeadline } from '../db/deadline';

export type AuditEntry = { id: number; at: string; action: string; subject: string };

/** Enough to see what the last days brought; the rest is in the table. */
export const AUDIT_SHOWN = 50;
const DEADLINE_MS = 2_000;

/** The newest first. */
export async function readAudit(sql: Sql, limit = AUDIT_SHOWN): Promise<AuditEntry[]> {
	const query = sql<{ id: string; at: Date; action: string; subject: string }[]>`
		select id, at, action, subject from ${sql.schema}.audit order by id desc limit ${limit}`;
	const rows = await withDeadline(query, DEADLINE_MS, 'reading the audit');
	return rows.map((row) => ({ ...row, id: Number(row.id), at: row.at.toISOString() }));
}

/** What changes no row, and happens rarely: whoever may cause it as often as they like must not fill the table. */
export async function writeAudit(sql: Sql, action: string, subject: string): Promise<void> {
	const query = sql`insert into ${sql.schema}.audit (action, subject) values (${action}, ${subject})`;
	await withDeadline(query, DEADLINE_MS, 'writing the audit');
}
