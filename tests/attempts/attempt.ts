/**
 * One attempt to look or write without leave: what is sent, and what must come of it. Whatever is not allowed by `may` must not happen
 * either: no word of the dashboard in the answer, no cookie, no change in a table, no way to another site.
 */
import { omit, type WireAnswer, type WireRequest } from '../setup/wire';
import { COOKIE, METRICS_TOKEN, type World } from './world';

export type Attempt = {
	what: string;
	ask: (world: World) => WireRequest;
	/** of the server itself; 0: it closes without an answer */
	status: number;
	/** behind a proxy, which has a mind of its own, also one of these */
	proxied?: readonly number[];
	/** the attempt is by a client with these rights */
	may?: readonly ('look' | 'enter' | 'write')[];
	/** where a redirect leads, from the origin on; default: nowhere outside */
	location?: string;
	/** What stops it. `gate`: access.ts and the keys, so that it must succeed when they are off. `form`: the request is none, or names nothing. */
	by: 'gate' | 'form';
};

/** What a proxy says of 9,000 bytes: nginx takes 8,192 in a line. */
export const TOO_LONG = [400, 414];

/** What happened. */
export type Outcome = { answer: WireAnswer; before: string; after: string };

/** What may not be; empty when all is well. */
export function findFaults(
	{ ask, status, proxied = [], may = [], location }: Attempt,
	{ answer, before, after }: Outcome,
	world: World,
	behindProxy: boolean,
): string[] {
	const { canary, origin } = world;
	const faults: string[] = [];
	const allowed = [status, ...(behindProxy ? proxied : [])];
	if (!allowed.includes(answer.status))
		faults.push(`answered ${answer.status}, not ${allowed.join(' or ')}`);
	if (!may.includes('look') && answer.body.includes(canary)) faults.push('showed the dashboard');
	if (!may.includes('look') && /^(event|data|id|retry):/m.test(answer.body))
		faults.push('began a stream');
	if (!may.includes('enter') && givesMore(ask(world), answer, world)) faults.push('set a cookie');
	if (!may.includes('write') && before !== after) faults.push(`changed\n${before}\nto\n${after}`);
	const to = answer.headers.location;
	if (location !== undefined && to !== location) faults.push(`led to ${String(to)}`);
	if (to !== undefined && new URL(String(to), origin).origin !== origin)
		faults.push(`led elsewhere: ${String(to)}`);
	// one request has one answer
	if (/^HTTP\/1\.1 2\d\d/m.test(answer.body)) faults.push('answered a second request');
	return faults;
}

/** A valid cookie is extended: the client gains nothing. */
function givesMore(asked: WireRequest, answer: WireAnswer, { session, link }: World): boolean {
	const had = [session, link].find((token) => asked.headers.cookie === `${COOKIE}=${token}`);
	const set = [answer.headers['set-cookie'] ?? []].flat();
	return set.some((one) => had === undefined || !one.startsWith(`${COOKIE}=${had};`));
}

/** The same request with every right: an attempt that the gate stops must succeed then. */
export function withEveryRight(asked: WireRequest, cookie: string, origin: string): WireRequest {
	if (asked.raw) return asked;
	const headers = omit(asked.headers, ['authorization']);
	const path = asked.path.replace(/([?&])(token|key)=[^&]*/, '$1');
	const mine: Record<string, string> = path.startsWith('/api/events')
		? {}
		: { cookie, origin, authorization: `Bearer ${METRICS_TOKEN}` };
	return { ...asked, path, headers: { ...headers, ...mine } };
}

const NOTHING = { headers: {}, body: null };

export const get = (path: string, headers: Record<string, string> = {}): WireRequest => ({
	...NOTHING,
	method: 'GET',
	path,
	headers,
});
export const post = (
	path: string,
	body: string,
	headers: Record<string, string> = {},
): WireRequest => ({ method: 'POST', path, headers, body: Buffer.from(body) });
/** Lines of a head, and what follows it. */
export const raw = (lines: readonly string[], body = ''): WireRequest => ({
	...NOTHING,
	method: '',
	path: '',
	raw: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'),
});
