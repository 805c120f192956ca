import { TROUBLES } from '../../database-troubles';
import type { DatabaseTrouble } from '../../protocol';

/** What the page says of itself when something is not as it should be: what happened, what it means, what to do. */
export type Notice = { tone: 'broken' | 'degraded'; text: string };

/** Stay quiet on the first failed attempt: it is usually a deploy or an elevator. */
const QUIET_ATTEMPTS = 1;

/** What happened to Postgres and what to do: the server's own `fix` where it knows one. */
export function toWords(trouble: DatabaseTrouble, fix?: string | null): string {
	const { says, fix: usual } = TROUBLES[trouble];
	return [says, fix ? `To fix it: ${fix}.` : usual].filter(Boolean).join(' ');
}

type Situation = {
	status: 'connecting' | 'live' | 'waiting' | 'offline' | 'failed';
	/** attempts since the stream was last heard */
	attempt: number;
	lastError: string | null;
	database: 'up' | 'down';
	listener: 'up' | 'deaf';
	/** why the database is down, and why it takes no events; null when it is not so, or not known */
	reading: DatabaseTrouble | null;
	writing: DatabaseTrouble | null;
	fix?: string | null;
	/** a large transaction is being counted */
	counting?: boolean;
	/** the time at which the figures hold, as text */
	known: string;
};

/** The one thing worth saying, the gravest first; `null` when all is well. */
export function toNotice(situation: Situation): Notice | null {
	const { status, attempt, lastError, database, listener, reading, writing, fix, counting, known } =
		situation;
	const because = lastError ? ` Last error: ${lastError}` : '';
	if (status === 'offline') {
		return {
			tone: 'broken',
			text: `This device is offline. The figures are as of ${known}. The page continues when the network is back.`,
		};
	}
	if (status === 'failed') {
		return {
			tone: 'broken',
			text: `The server has not answered ${attempt} attempts in a row. The figures are as of ${known}. The page keeps trying, less often, and continues by itself.${because}`,
		};
	}
	if (status !== 'live' && attempt > QUIET_ATTEMPTS) {
		return {
			tone: 'broken',
			text: `The stream was cut. The figures are as of ${known}; newer events follow when it is back.${because}`,
		};
	}
	if (status === 'live' && database === 'down') {
		return {
			tone: 'broken',
			text: `${reading ? toWords(reading, fix) : 'Postgres is not answering.'} Events sent now are rejected; no accepted event is lost. The server keeps trying; the figures are as of ${known}.`,
		};
	}
	if (status === 'live' && writing !== null) {
		return {
			tone: 'broken',
			text: `${toWords(writing, fix)} Events sent now are rejected, and senders can retry. No accepted event is lost, and this page is complete. The server keeps trying.`,
		};
	}
	if (status === 'live' && counting) {
		return {
			tone: 'degraded',
			text: 'A large transaction is being counted. Figures and chart stand still until it is; the feed goes on, and nothing is lost.',
		};
	}
	if (status === 'live' && listener === 'deaf') {
		return {
			tone: 'degraded',
			text: 'Live notifications are not arriving; polling instead. Nothing is lost, updates may be slightly late.',
		};
	}
	return null;
}
