/** One row of `presence`, and what a sender says of a session. Pure. */
import { hash } from 'node:crypto';
import type { EventContext } from '../../protocol';
import { toHost } from '../live/dimension-values';

/** Of its page; `gone`: it has left. */
export type SaidState = 'visible' | 'hidden' | 'gone';

/** What a sender says of one session. */
export type Said = {
	source: string;
	sessionId: string;
	state: SaidState;
	path: string | null;
	/** where the visit came from: referrer's host, channel and `utm_*`; null: not said, what was said before holds */
	origin: { [key: string]: string } | null;
	context: EventContext | null;
	/** since the last input */
	idleMs: number;
	/** ms since 1970 by the sender's clock; null: it gave none */
	statedAt: number | null;
};

/** A session as it is read. Times in ms of the database's clock. */
export type PresenceRow = {
	id: string;
	source: string;
	sessionId: string;
	path: string | null;
	origin: { [key: string]: string } | null;
	context: EventContext | null;
	visible: boolean;
	heardAt: number;
	inputAt: number | null;
	leftAt: number | null;
};

/** Orders the states of one session that say when they were made: up to so much older is late, more is another clock. */
export const LATE_MS = 10_000;

/** Of a session of one source: 64 bits as a decimal, for a bigint. Texts of Postgres hold no NUL. */
export function toPresenceId({ source, sessionId }: Pick<Said, 'source' | 'sessionId'>): string {
	const digest = hash('sha256', `${source}\0${sessionId}`, 'hex').slice(0, 16);
	return BigInt.asIntN(64, BigInt(`0x${digest}`)).toString();
}

/** What a request says of a session (parse-presence.ts). @returns null: nothing says which session it is */
export function toSaid({
	sessionId,
	properties,
	...said
}: Pick<Said, 'source' | 'state' | 'context' | 'idleMs' | 'statedAt'> & {
	sessionId: string | null;
	properties: { [key: string]: string };
}): Said | null {
	if (sessionId === null) return null;
	const { path, referrer } = properties;
	const utm = Object.entries(properties).filter(([key]) => key.startsWith('utm_'));
	const { channel, ...context } = said.context ?? {};
	const host = toHost(referrer);
	const origin = {
		...Object.fromEntries(utm),
		...(host !== null && { referrer: host }),
		...(channel && { channel }),
	};
	const isKnown = Object.keys(origin).length > 0;
	return {
		...said,
		sessionId,
		context: Object.keys(context).length > 0 ? context : null,
		path: path ?? null,
		origin: isKnown ? origin : null,
	};
}
