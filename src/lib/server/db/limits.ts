/**
 * The time limits of a session. A role or a database often has low ones for people, which must not end our statements and
 * connections. They are asked for when a connection starts, so that no statement runs before they hold. A transaction pooler
 * refuses such a connection (08P01), and Postgres before 17 an unknown name: hence `findLimits`.
 */
import postgres from 'postgres';
import { connect, type Limits } from './connect';
import { toCode } from './errors';

/**
 * Longer than the deadlines of what reads and answers, so that only a statement that was given up is cancelled. Without it,
 * those that wait for a lock would pile up until no connection is left. What takes longer lifts it in its transaction.
 */
const STATEMENT_TIMEOUT = '15s';
/** Longer than the deadlines of history and deletion. */
export const LONG_STATEMENT_TIMEOUT = '90s';

const LIMITS: Limits = {
	statement_timeout: STATEMENT_TIMEOUT,
	lock_timeout: '0',
	idle_session_timeout: '0',
	idle_in_transaction_session_timeout: '0',
};
const SINCE_17: Limits = { transaction_timeout: '0' };

/** Connection exceptions, features that are not supported, unknown names: what a server or a pooler may answer to LIMITS. */
const REFUSED = /^(08|0A|42)/;
/** A transaction_timeout that passed: the version has arrived by then. */
const TRANSACTION_TIMEOUT = '25P04';

/**
 * What the server behind `url` can be asked for: one connection, two behind a pooler. Rejects as any first query would.
 * @param statementTimeout '0': none
 */
export async function findLimits(
	url: string,
	statementTimeout = STATEMENT_TIMEOUT,
): Promise<Limits> {
	try {
		const version = await readVersion(url, LIMITS);
		const limits = { ...LIMITS, statement_timeout: statementTimeout };
		return version < 17 ? limits : { ...limits, ...SINCE_17 };
	} catch (error) {
		if (!(error instanceof postgres.PostgresError && REFUSED.test(error.code))) throw error;
		await readVersion(url, {});
		return {};
	}
}

async function readVersion(url: string, limits: Limits): Promise<number> {
	const sql = connect(url, { max: 1, prepare: false, limits });
	try {
		await sql`select`;
	} catch (error) {
		if (toCode(error) !== TRANSACTION_TIMEOUT) throw error;
	} finally {
		await sql.end({ timeout: 1 });
	}
	return Number.parseInt(String(sql.parameters.server_version), 10);
}
