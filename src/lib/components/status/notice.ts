/** What the page says of itself when something is not as it should be: what happened, what it means, what to do. */
export type Notice = { tone: 'broken' | 'degraded'; text: string };

/** A first failed attempt is usually a deployment or a lift; it is said from the second on. */
const QUIET_ATTEMPTS = 1;

type Trouble =
	| 'unreachable'
	| 'starting'
	| 'crowded'
	| 'denied'
	| 'missing'
	| 'locked'
	| 'slow'
	| 'readonly'
	| 'standby'
	| 'full'
	| 'other';

/** What happened to Postgres, and where only a person can help, what to do. */
export const HAPPENED: { [T in Trouble]: string } = {
	unreachable: 'Postgres is not answering.',
	starting: 'Postgres is starting or stopping.',
	crowded: 'Postgres takes no more connections: raise max_connections, or close others.',
	denied: 'Postgres refuses the login of this server: look at DATABASE_URL.',
	missing: 'The database or its tables are not there: look at DATABASE_URL.',
	locked: 'Another transaction has locked the table of events.',
	slow: 'Postgres takes too long to answer.',
	readonly: 'Postgres takes no writes: it is read-only.',
	standby: 'This Postgres is a standby: point DATABASE_URL at the primary.',
	full: 'The disk of Postgres is full.',
	other: 'Postgres reports an error: the log of this server has it.',
};

type Situation = {
	status: 'connecting' | 'live' | 'waiting' | 'offline' | 'failed';
	/** attempts since the stream was last heard */
	attempt: number;
	lastError: string | null;
	database: 'up' | 'down';
	listener: 'up' | 'deaf';
	/** why the database is down, and why it takes no events; null when it is not so, or not known */
	reading: Trouble | null;
	writing: Trouble | null;
	/** the time at which the figures hold, as text */
	known: string;
};

/** The one thing worth saying, the gravest first; `null` when all is well. */
export function toNotice(situation: Situation): Notice | null {
	const { status, attempt, lastError, database, listener, reading, writing, known } = situation;
	const because = lastError ? ` The last attempt said: ${lastError}` : '';
	if (status === 'offline') {
		return {
			tone: 'broken',
			text: `This device is offline. The figures are those of ${known}. The page goes on by itself when the network is back.`,
		};
	}
	if (status === 'failed') {
		return {
			tone: 'broken',
			text: `The server has not answered ${attempt} attempts in a row. The figures are those of ${known}. The page keeps looking, slowly, and goes on by itself.${because}`,
		};
	}
	if (status !== 'live' && attempt > QUIET_ATTEMPTS) {
		return {
			tone: 'broken',
			text: `The stream was cut. The figures are those of ${known}; what happened since then follows when it is back.${because}`,
		};
	}
	if (status === 'live' && database === 'down') {
		return {
			tone: 'broken',
			text: `${HAPPENED[reading ?? 'unreachable']} Events sent now are refused, none that was accepted is lost. The server keeps trying; the figures are those of ${known}.`,
		};
	}
	if (status === 'live' && writing !== null) {
		return {
			tone: 'broken',
			text: `${HAPPENED[writing]} Events sent now are refused and can be sent again; none that was accepted is lost, and what is shown here is complete. The server keeps trying.`,
		};
	}
	if (status === 'live' && listener === 'deaf') {
		return {
			tone: 'degraded',
			text: 'Postgres does not ring: NOTIFY does not reach the server, so it looks into the table often instead. Nothing is lost; events come a moment later.',
		};
	}
	return null;
}
