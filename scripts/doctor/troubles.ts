/** What the words for a database's trouble mean to somebody who can do something about it (docs/operations.md). */
import type { DatabaseTrouble } from '../../src/lib/protocol';
import { MOST_CONNECTIONS } from '../../src/lib/server/db/connect';

export const TROUBLES: Readonly<Record<DatabaseTrouble, { says: string; mend: string }>> = {
	unreachable: {
		says: 'no connection, or no answer',
		mend: 'Look whether Postgres runs, and at the host and port of the URL, firewalls included.',
	},
	starting: { says: 'it is starting or stopping', mend: 'Wait, and look again.' },
	crowded: {
		says: 'it takes no more connections',
		mend: `Raise max_connections, or close others: a process of ours has at most ${MOST_CONNECTIONS}.`,
	},
	denied: {
		says: 'login or right refused',
		mend: 'Look at user and password of the URL, and at the rights of that role: it must own the tables.',
	},
	missing: {
		says: 'the database or its tables are not there',
		mend: 'Look at the name of the database in the URL; a Nowboard that starts makes the tables.',
	},
	locked: {
		says: 'another transaction has locked the table',
		mend: 'End it: pg_stat_activity and pg_blocking_pids() show which.',
	},
	slow: { says: 'it takes too long to answer', mend: 'Look at its load.' },
	readonly: {
		says: 'it takes no writes',
		mend: 'Find out who made it so: default_transaction_read_only, or a host that does it when the disk is full.',
	},
	standby: { says: 'it is a standby', mend: 'Let the URL name the primary.' },
	full: { says: 'its disk is full', mend: 'Make space.' },
	other: { says: 'something else', mend: 'Look at what it says, and into the log.' },
};
