/**
 * What an error of the database means to people: a small closed set, told to every page. Pure.
 * SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html; other codes are Node's and postgres.js'.
 */
import type { DatabaseTrouble } from '../../protocol';
import { DeadlineError } from './deadline';

/** The database is a standby: its snapshots do not list running transactions, so no cursor can stand on them. */
export class StandbyError extends Error {
	override name = 'StandbyError';
	constructor() {
		super(
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
	CONNECT_TIMEOUT: 'unreachable',
	CONNECTION_CLOSED: 'unreachable',
	CONNECTION_DESTROYED: 'unreachable',
	CONNECTION_ENDED: 'unreachable',
	'08': 'unreachable',
	'57P01': 'starting',
	'57P02': 'starting',
	'57P03': 'starting',
	'57P05': 'unreachable',
	'53300': 'crowded',
	'28': 'denied',
	'42501': 'denied',
	// ALTER DATABASE … ALLOW_CONNECTIONS false
	'55000': 'denied',
	'3D': 'missing',
	'3F': 'missing',
	'42P01': 'missing',
	'40P01': 'locked',
	'55P03': 'locked',
	// statement_timeout, or somebody cancelled it
	'57014': 'slow',
	'25006': 'readonly',
	'53100': 'full',
};

export function toDatabaseTrouble(error: unknown): DatabaseTrouble {
	if (error instanceof StandbyError) return 'standby';
	if (error instanceof DeadlineError) return 'slow';
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	return BY_CODE[code] ?? BY_CODE[code.slice(0, 2)] ?? 'other';
}
