/**
 * Requests as they stand on the wire, for tests and fuzzing: nothing of a path or header is tidied up on the way, as fetch would do.
 * A stream that was granted is cut when its first frames have come: enough to see that it was.
 */
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

export type WireRequest = {
	method: string;
	/** as it goes on the wire: a request's target */
	path: string;
	headers: Record<string, string>;
	body: Buffer | null;
	/** goes on the wire as it is, instead of a request that Node would write */
	raw?: Buffer;
};

/** `status` 0: the connection was closed without an answer. `body` as latin1, cut at `KEPT`. */
export type WireAnswer = {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	body: string;
};

const SILENT_MS = 10_000;
const KEPT = 200_000;
/** Without a byte after an answer, before it is taken for the last one. */
const QUIET_MS = 50;
/** What a granted stream says before it waits for events (frames.ts). */
const STREAM_BEGUN = 'event: reset';

const NONE: WireAnswer = { status: 0, headers: {}, body: '' };

/**
 * Certificates are not verified: those of tests are self-signed. @param atOnce 0: each request has a
 * connection of its own
 */
export function createAgent(url: string, atOnce: number): HttpAgent {
	const options = atOnce === 0 ? { keepAlive: false } : { keepAlive: true, maxSockets: atOnce };
	return url.startsWith('https:')
		? new HttpsAgent({ ...options, rejectUnauthorized: false })
		: new HttpAgent(options);
}

/**
 * Never rejects: what Node itself does not write counts as no answer.
 * @param url origin of the server
 * @param patienceMs after what goes raw, before our side of the connection is ended
 */
export function send(
	url: string,
	agent: HttpAgent,
	asked: WireRequest,
	patienceMs = 0,
): Promise<WireAnswer> {
	return asked.raw ? sendRaw(url, asked.raw, patienceMs) : sendHttp(url, agent, asked);
}

function sendHttp(
	url: string,
	agent: HttpAgent,
	{ method, path, headers, body }: WireRequest,
): Promise<WireAnswer> {
	const request = url.startsWith('https:') ? requestHttps : requestHttp;
	const length = body && { 'content-length': body.length };
	return new Promise((resolve) => {
		// not the request's own timeout: on a connection that is used again its listeners add up
		let timer: NodeJS.Timeout | undefined;
		const settle = (answer: WireAnswer) => {
			clearTimeout(timer);
			resolve(answer);
		};
		try {
			const sent = request(
				url,
				{ method, path, headers: { ...headers, ...length }, agent },
				(response) => {
					let text = '';
					const done = () =>
						settle({ status: response.statusCode ?? 0, headers: response.headers, body: text });
					response.setEncoding('latin1');
					response.on('data', (part: string) => {
						if (text.length < KEPT) text += part;
						if (!text.includes(STREAM_BEGUN) || !isStream(response.headers)) return;
						done();
						sent.destroy();
					});
					response.on('end', done);
					response.on('error', done);
				},
			);
			timer = setTimeout(() => sent.destroy(), SILENT_MS);
			sent.on('error', () => settle(NONE));
			sent.end(body ?? undefined);
		} catch {
			settle(NONE);
		}
	});
}

const isStream = (headers: WireAnswer['headers']) =>
	headers['content-type'] === 'text/event-stream';

/** Waits until the server closes, or has answered and says no more for a moment: a second answer would be of interest. */
function sendRaw(url: string, raw: Buffer, patienceMs: number): Promise<WireAnswer> {
	const { hostname: host, port, protocol } = new URL(url);
	const to = { host, port: Number(port) };
	return new Promise((resolve) => {
		const socket =
			protocol === 'https:' ? connectTls({ ...to, rejectUnauthorized: false }) : connectTcp(to);
		let text = '';
		socket.on(protocol === 'https:' ? 'secureConnect' : 'connect', () => {
			socket.write(raw);
			// a proxy takes the end of the data for a closed client
			if (patienceMs === 0) socket.end();
			else setTimeout(() => socket.end(), patienceMs).unref();
		});
		socket.on('data', (bytes: Buffer) => {
			if (text.length < KEPT) text += bytes.toString('latin1');
			if (text.includes('\r\n\r\n')) socket.setTimeout(QUIET_MS);
		});
		socket.setTimeout(SILENT_MS);
		socket.on('timeout', () => socket.destroy());
		socket.on('error', () => {});
		socket.on('close', () => resolve(parseAnswer(text)));
	});
}

function parseAnswer(text: string): WireAnswer {
	const [head = '', ...rest] = text.split('\r\n\r\n');
	const headers = head.split('\r\n').slice(1);
	return {
		status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
		headers: Object.fromEntries(
			headers.map((line) => {
				const colon = line.indexOf(':');
				return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
			}),
		),
		body: rest.join('\r\n\r\n'),
	};
}

/** The headers without these. */
export function omit<T>(headers: Record<string, T>, names: readonly string[]): Record<string, T> {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
