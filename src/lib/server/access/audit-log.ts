/**
 * The audit log: logins, share links, keys, erasures. A change of a row is logged in the same statement as
 * the change; this file logs the rest, and reads the log. It contains neither what was typed nor where it
 * came from.
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

/**
 * Limits entries that change no row: clients can cause them as often as they like, and must not fill the
 * table.
 */
export async function writeAudit(sql: Sql, action: string, subject: string): Promise<void> {
	const query = sql`insert into ${sql.schema}.audit (action, subject) values (${action}, ${subject})`;
	await withDeadline(query, DEADLINE_MS, 'writing the audit');
}
