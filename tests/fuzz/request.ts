/**
 * A request of the fuzz suite. What differs from server to server stands in it by name, so that a seed makes the same requests
 * everywhere: `{origin}`, `{session}` (a good one), `{link}`, `{key}`, `{metrics}` (their token), `{epoch}`, and
 * `{token:n}`, a good one whose n-th letter is another.
 */
import type { WireRequest } from '../setup/wire';

export type FuzzRequest = WireRequest & { kind: string };
export type Names = Record<
	'origin' | 'session' | 'link' | 'key' | 'metrics' | 'epoch' | 'token',
	string
>;

export const get = (
	kind: string,
	path: string,
	headers: Record<string, string> = {},
): FuzzRequest => ({ kind, method: 'GET', path, headers, body: null });

/** Of the requests that go raw. */
const HOST = 'host: x\r\n';

/** To ingest, as JSON. */
export const post = (
	kind: string,
	body: Buffer,
	headers: Record<string, string> = {},
): FuzzRequest => ({
	kind,
	method: 'POST',
	path: '/api/events',
	headers: { 'content-type': 'application/json', ...headers },
	body,
});

/**
 * The request for one server.
 * @param address who sends it: an address that is refused often is answered late, and would not get far (src/lib/server/http/tarpit.ts)
 */
export function fill(asked: FuzzRequest, names: Names, address: string): FuzzRequest {
	if (asked.raw) {
		const raw = asked.raw
			.toString('latin1')
			.replaceAll(HOST, `${HOST}x-forwarded-for: ${address}\r\n`);
		return { ...asked, raw: Buffer.from(raw, 'latin1') };
	}
	const { token, ...plain } = names;
	const put = (text: string) =>
		text.replace(
			/(?:\{|%7B)(\w+)(?:(?::|%3A)(\d+))?(?:\}|%7D)/g,
			(whole, name: string, at?: string) => {
				if (name === 'token') return change(token, Number(at));
				return plain[name as keyof typeof plain] ?? whole;
			},
		);
	const headers = Object.entries(asked.headers).map(([name, value]) => [name, put(value)]);
	return {
		...asked,
		path: put(asked.path),
		headers: { 'x-forwarded-for': address, ...Object.fromEntries(headers) },
	};
}

function change(text: string, at: number): string {
	const letter = text[at] === 'A' ? 'B' : 'A';
	return text.slice(0, at) + letter + text.slice(at + 1);
}
