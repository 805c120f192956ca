/**
 * What an error of the database means to people: a small closed set, told to every page; and what Postgres itself said.
 * Errors are unwrapped first: drizzle's hides the one of Postgres in `cause`. Pure.
 * SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html; other codes are Node's and postgres.js'.
 */
import type { DatabaseTrouble } from '../../protocol';
import { DeadlineError } from './deadline';

/** Something about the database that a person must fix. `fix` may hold `<role>` and `<database>`. */
export class DatabaseProblem extends Error {
	override name = 'DatabaseProblem';
	constructor(
		readonly trouble: DatabaseTrouble,
		message: string,
		readonly fix: string | null = null,
	) {
		super(message);
	}
}

/** The database is a standby: its snapshots do not list running transactions, so no cursor can stand on them. */
export class StandbyError extends DatabaseProblem {
	override name = 'StandbyError';
	constructor() {
		super(
			'standby',
			'the database is a standby (in recovery): Nowboard reads from a primary only; point DATABASE_URL at the primary',
		);
	}
}

/** Not now: submit them again a little later. */
export class UnavailableError extends Error {
	override name = 'UnavailableError';
}

/** The longest that fits decides: a whole code, else its class. */
const BY_CODE: Readonly<Record<string, DatabaseTrouble>> = {
	ECONNREFUSED: 'unreachable',
	ECONNRESET: 'unreachable',
	EHOSTUNREACH: 'unreachable',
	ENETUNREACH: 'unreachable',
	ENOTFOUND: 'unreachable',
	EAI_AGAIN: 'unreachable',
	EPIPE: 'unreachable',
	ETIMEDOUT: 'unreachable',
	// of a Unix socket
	ENOENT: 'unreachable',
	EACCES: 'unreachable',
	CONNECT_TIMEOUT: 'unreachable',
	CONNECTION_CLOSED: 'unreachable',
	CONNECTION_DESTROYED: 'unreachable',
	CONNECTION_ENDED: 'unreachable',
	'08': 'unreachable',
	// a protocol violation is an answer: PgBouncer refuses with it, whatever the reason
	'08P01': 'other',
	'57P01': 'starting',
	'57P02': 'starting',
	'57P03': 'starting',
	'57P04': 'missing',
	'57P05': 'unreachable',
	'53300': 'crowded',
	'28': 'denied',
	// ALTER DATABASE … ALLOW_CONNECTIONS false
	'55000': 'denied',
	'42501': 'forbidden',
	'3D': 'missing',
	'3F': 'unmigrated',
	'42P01': 'unmigrated',
	// a column, type, table or function that is not as a migration has made it
	'42703': 'foreign',
	'42804': 'foreign',
	'42809': 'foreign',
	'42883': 'foreign',
	'42P07': 'foreign',
	'42710': 'foreign',
	'42701': 'foreign',
	'40P01': 'locked',
	'55P03': 'locked',
	// statement_timeout, or a cancelled statement
	'57014': 'slow',
	'25006': 'readonly',
	'53100': 'full',
	EPROTO: 'tls',
	ERR_TLS_CERT_ALTNAME_INVALID: 'tls',
	CERT_HAS_EXPIRED: 'tls',
	CERT_NOT_YET_VALID: 'tls',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
	SELF_SIGNED_CERT_IN_CHAIN: 'tls',
	UNABLE_TO_GET_ISSUER_CERT: 'tls',
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
};
/** Node's words when the server closes the connection instead of answering a TLS handshake: it has no TLS. */
const NO_TLS = /before secure TLS connection/;

/** By the cause of the error; `other` when it is not known. */
export function toDatabaseTrouble(error: unknown): DatabaseTrouble {
	const cause = findCause(error);
	if (cause instanceof DatabaseProblem) return cause.trouble;
	if (cause instanceof DeadlineError) return 'slow';
	if (cause instanceof Error && NO_TLS.test(cause.message)) return 'tls';
	const code = toCode(cause);
	return BY_CODE[code] ?? BY_CODE[code.slice(0, 2)] ?? 'other';
}

const MOST_CAUSES = 10;

/** The error at the end of the chain of causes: what really happened. Of several addresses that failed, the last. */
export function findCause(error: unknown): unknown {
	let found = error;
	for (let depth = 0; depth < MOST_CAUSES && found instanceof Error; depth++) {
		const within = found instanceof AggregateError ? found.errors.at(-1) : found.cause;
		if (!(within instanceof Error)) break;
		found = within;
	}
	return found;
}

/** The code of Postgres or Node; empty when there is none. */
export function toCode(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** One line: what went wrong, what Postgres said of it, and its code. */
export function toReason(error: unknown): string {
	const cause = findCause(error);
	if (!(cause instanceof Error)) return String(cause);
	const { message, name, detail, hint } = cause as PostgresFields;
	const code = toCode(cause);
	const parts = [message || name, code && `(${code})`, detail, hint].filter(Boolean);
	// drizzle's message is the whole statement, which says less than the cause
	const isOurs = error instanceof Error && error !== cause && !('query' in error) && error.message;
	return isOurs ? `${error.message} ${parts.join(' ')}` : parts.join(' ');
}

type PostgresFields = Error & { [name: string]: unknown };
/** Names as postgres.js gives them to its errors. */
const FIELDS = ['code', 'detail', 'hint', 'schema_name', 'table_name', 'column_name'] as const;

/** What Postgres said, for the log: only what is there. */
export function toFacts(error: unknown): Record<string, string> {
	const cause = findCause(error);
	if (!(cause instanceof Error)) return { message: String(cause) };
	const fields = cause as PostgresFields;
	const facts = FIELDS.map((name) => [name, fields[name]]).filter(([, value]) => value);
	return { message: cause.message || cause.name, ...Object.fromEntries(facts) };
}
