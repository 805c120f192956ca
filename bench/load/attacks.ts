/** What abuser.ts does, by name: with keys, sessions, links and tokens of the right form, which have to be looked for, and with such as are none. */
import { randomBytes } from 'node:crypto';

export type Attack = {
	/** `answers`: the next one after the answers to the last; `nothing`: asks, and is gone */
	waitsFor: 'answers' | 'nothing';
	/** connections */
	atOnce: number;
	/** requests that are sent together on a connection */
	together: number;
	/** latin1 */
	toRequest: (url: URL) => string;
};

export type Abuse = {
	/** requests; connections where none is complete */
	sent: number;
	/** by status; `closed`: connections that the server ended, or that were silent for too long */
	answers: Record<string, number>;
};
export type AbuseReport = Record<string, Abuse>;
export type AbuseOrder =
	| { do: 'begin'; url: string; attacks: readonly string[]; halfOpen: number }
	/** since it was last asked */
	| { do: 'count' }
	| { do: 'end' };

const HUGE = 'a'.repeat(500_000);
const STREAM = '/api/dashboard/stream';
const JSON_TYPE = 'content-type: application/json\r\n';
const FORM_TYPE = 'content-type: application/x-www-form-urlencoded\r\n';

/** 43 letters, as all of ours have. */
const token = () => randomBytes(32).toString('base64url');
const bearer = (key: string) => `${JSON_TYPE}authorization: Bearer ${key}\r\n`;
const cookie = (value: string | number) => `cookie: nowboard_viewer=${value}\r\n`;

const get =
	(toPath: () => string, toHeaders = () => '') =>
	({ host }: URL) =>
		`GET ${toPath()} HTTP/1.1\r\nhost: ${host}\r\n${toHeaders()}\r\n`;
const post = (path: string, toHeaders: (url: URL) => string, toBody = () => '{"name":"abuse"}') => {
	return (url: URL) => {
		const body = toBody();
		return `POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\n${toHeaders(url)}content-length: ${body.length}\r\n\r\n${body}`;
	};
};

const LOOKED_FOR = {
	'wrong key': post('/api/events', () => bearer(`nb_sec_${token()}`)),
	'wrong session': get(
		() => '/settings',
		() => cookie(token()),
	),
	'wrong session at the stream': get(
		() => STREAM,
		() => cookie(token()),
	),
	'wrong link': get(() => `/s/${token()}`),
};
const OTHERS = {
	'wrong token': get(() => `${STREAM}?token=${token()}.${token()}.${token()}`),
	'key that is none': post('/api/events', () => bearer(`nb_sec_${Math.random()}`)),
	'no key': post('/api/events', () => JSON_TYPE),
	'session that is none': get(
		() => '/settings',
		() => cookie(Math.random()),
	),
	'wrong password': post(
		'/login',
		({ origin }) => `${FORM_TYPE}accept: text/html\r\norigin: ${origin}\r\n`,
		() => `password=${Math.random()}`,
	),
	'wrong password (by a script)': post(
		'/login',
		({ origin }) => `${FORM_TYPE}origin: ${origin}\r\n`,
		() => `password=${Math.random()}`,
	),
};
const huge = post(
	'/api/events',
	() => bearer(`nb_sec_${token()}`),
	() => HUGE,
);

const TOGETHER = 50;
const inTurn = { waitsFor: 'answers', atOnce: 50, together: 1 } as const;
const together = { waitsFor: 'answers', atOnce: 4, together: TOGETHER } as const;
const hasty = { waitsFor: 'nothing', atOnce: 20, together: 1 } as const;

const toAttacks = (
	requests: Record<string, Attack['toRequest']>,
	how: Omit<Attack, 'toRequest'>,
	suffix = '',
): Record<string, Attack> =>
	Object.fromEntries(
		Object.entries(requests).map(([name, toRequest]) => [
			`${name}${suffix}`,
			{ ...how, toRequest },
		]),
	);

/** Connections that say half a head, are held for a second, dropped, and opened again. */
export const HALF_OPEN = 'half a head';
export const ATTACKS: Readonly<Record<string, Attack>> = {
	...toAttacks({ ...LOOKED_FOR, ...OTHERS }, inTurn),
	...toAttacks({ 'huge body': huge }, { ...inTurn, atOnce: 8 }),
	...toAttacks(LOOKED_FOR, together, ` (${TOGETHER} at once)`),
	...toAttacks(LOOKED_FOR, hasty, ' (waits for no answer)'),
};
export const ATTACK_NAMES: readonly string[] = [...Object.keys(ATTACKS), HALF_OPEN];
/** A connection for each request, and no wait for anything: thousands a second, whatever the server does. */
export const HASTY: readonly string[] = Object.keys(ATTACKS).filter(
	(name) => ATTACKS[name]?.waitsFor === 'nothing',
);
