/**
 * What a trouble of the database means to people: the page, the log and the doctor use the same words. Pure.
 * The server often knows the exact statement that fixes it, and says that instead of `fix`.
 */
import type { DatabaseTrouble } from './protocol';

/** `says`: what happened. `fix`: what to do; empty: nothing but wait. */
export const TROUBLES: Readonly<Record<DatabaseTrouble, { says: string; fix: string }>> = {
	unreachable: {
		says: 'Postgres is not answering.',
		fix: 'Check that it runs, and the host, port and firewall in the way.',
	},
	starting: { says: 'Postgres is starting or stopping.', fix: '' },
	crowded: {
		says: 'Postgres takes no more connections.',
		fix: 'Raise max_connections, or close other connections.',
	},
	denied: {
		says: 'Postgres refuses the login of this server.',
		fix: 'Check user and password in DATABASE_URL.',
	},
	forbidden: {
		says: 'The database role lacks a right.',
		fix: 'Grant it: the log of this server names the object.',
	},
	hidden: {
		says: 'Row-level security hides rows from the database role.',
		fix: 'Disable it for the tables of Nowboard, or give the role BYPASSRLS.',
	},
	missing: {
		says: 'The database does not exist.',
		fix: 'Check the name of the database in DATABASE_URL, or create it.',
	},
	unmigrated: {
		says: 'The tables of Nowboard are missing from this database.',
		fix: 'Check DATABASE_URL, then restart this server, which creates the tables.',
	},
	foreign: {
		says: 'Tables of another program stand where Nowboard keeps its own.',
		fix: 'Rename them, or use another database.',
	},
	encoding: {
		says: 'The encoding of the database is not UTF8.',
		fix: 'Create a database with ENCODING UTF8 and use that one.',
	},
	outdated: { says: 'Postgres is too old.', fix: 'Use Postgres 14 or newer.' },
	tls: {
		says: 'The encrypted connection to Postgres failed.',
		fix: 'Check sslmode and sslrootcert in DATABASE_URL.',
	},
	locked: {
		says: 'Another transaction has locked a table of Nowboard.',
		fix: 'End it: pg_stat_activity and pg_blocking_pids() show which one.',
	},
	slow: { says: 'Postgres takes too long to answer.', fix: 'Check its load.' },
	readonly: {
		says: 'Postgres is read-only.',
		fix: 'Find out what made it so: default_transaction_read_only, or a provider whose disk is full.',
	},
	standby: {
		says: 'This Postgres is a standby.',
		fix: 'Point DATABASE_URL at the primary.',
	},
	full: { says: 'The disk of Postgres is full.', fix: 'Free some space.' },
	relay: {
		says: 'The relay does not answer, and this server reads only from there.',
		fix: 'Check that Redis runs, and RELAY_URL. The status page names the reason.',
	},
	other: { says: 'Postgres reports an error.', fix: 'The log of this server has it.' },
};
