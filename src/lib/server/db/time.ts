/** Times of the database as numbers: JavaScript parses few of the texts that a session's DateStyle and TimeZone may give. */
import type { Fragment } from 'postgres';
import type { Sql, TransactionSql } from './connect';

/** ECMAScript's limit of a Date, in ms from 1970: the year 275760. Postgres goes to 294276, and knows infinity. */
export const MAX_DATE_MS = 8.64e15;

/** A timestamptz in SQL as ms since 1970, exact to the microsecond (numeric, see connect.ts). @param expression SQL of our own */
export function toMs(sql: Sql | TransactionSql, expression: string): Fragment {
	const text = `(extract(epoch from ${expression}) * 1000)`;
	return sql.unsafe(text) as unknown as Fragment;
}

/** ISO 8601; null for null, and for what no Date can hold. */
export function toIso(ms: number | null): string | null {
	return ms === null || Math.abs(ms) > MAX_DATE_MS ? null : new Date(ms).toISOString();
}
