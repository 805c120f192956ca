/**
 * What was done to the doors: logins, share links, keys, what was erased. Rows are written beside what they tell of, in the same
 * statement; here they are read. What was typed, and from where, is in none of them.
 */
import type { Sql } from 'postgres';
import { withDeadline } from './deadline';

export type AuditEntry = { id: number; at: string; action: string; subject: string };

/** Enough to see what the last days brought; the rest is in the table. */
export const AUDIT_SHOWN = 50;
const DEADLINE_MS = 2_000;

/** The newest first. */
export async function readAudit(sql: Sql, limit = AUDIT_SHOWN): Promise<AuditEntry[]> {
	const query = sql<{ id: string; at: Date; action: string; subject: string }[]>`
		select id, at, action, subject from audit order by id desc limit ${limit}`;
	const rows = await withDeadline(query, DEADLINE_MS, 'reading the audit');
	return rows.map((row) => ({ ...row, id: Number(row.id), at: row.at.toISOString() }));
}
