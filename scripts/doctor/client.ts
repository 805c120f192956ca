/**
 * Requests as a browser makes them: over HTTP/2 where the other side has it, else HTTP/1.1, each with its body as it comes.
 * A certificate that is not trusted is reported instead of ending everything.
 */
import { once } from 'node:events';
import { request as requestHttp, Agent, type IncomingHttpHeaders } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { Readable } from 'node:stream';
import { connect as connectTls, rootCertificates, type TLSSocket } from 'node:tls';

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Readable };
export type Asked = { method?: string; headers?: Record<string, string>; body?: string };

export type Client = {
	origin: string;
	/** the origin, and the path below which the dashboard is */
	address: string;
	protocol: 'HTTP/2' | 'HTTP/1.1';
	/** null without TLS */
	certificate: { fault: string | null; endsAt: number } | null;
	/** Resolves with the headers; rejects when there is no answer in time. */
	ask(path: string, asked?: Asked): Promise<Answer>;
	close(): void;
};

const CONNECT_MS = 8_000;
export const ANSWER_MS = 8_000;

/**
 * Rejects when the server does not answer. @param address without a final slash. @param ca an additional
 * trusted certificate authority, in PEM
 */
export async function createClient(address: string, ca?: string): Promise<Client> {
	const url = new URL(address);
	const { origin } = url;
	const known = { origin, address };
	const base = url.pathname.replace(/\/$/, '');
	const below = (way: Way): Way => ({ ...way, ask: (path, asked) => way.ask(base + path, asked) });
	if (url.protocol === 'http:') {
		const socket = connectTcp(Number(url.port || 80), toHost(url));
		await inTime(once(socket, 'connect')).finally(() => socket.destroy());
		return { ...known, ...below(createHttp1(url)), certificate: null };
	}
	const socket = connectTls({
		host: toHost(url),
		port: Number(url.port || 443),
		servername: /^[\d.:[\]]+$/.test(url.hostname) ? '' : url.hostname,
		ALPNProtocols: ['h2', 'http/1.1'],
		...(ca && { ca: [...rootCertificates, ca] }),
		rejectUnauthorized: false,
	});
	await inTime(once(socket, 'secureConnect'));
	const certificate = readCertificate(socket);
	if (socket.alpnProtocol === 'h2')
		return { ...known, ...below(createHttp2(url, socket)), certificate };
	socket.destroy();
	return { ...known, ...below(createHttp1(url)), certificate };
}

const toHost = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

async function inTime<T>(promise: Promise<T>, ms = CONNECT_MS): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function readCertificate(socket: TLSSocket) {
	const { valid_to } = socket.getPeerCertificate();
	const error = socket.authorizationError as Error | string | null | undefined;
	return {
		fault: socket.authorized ? null : String(error instanceof Error ? error.message : error),
		endsAt: Date.parse(valid_to),
	};
}

type Way = Pick<Client, 'protocol' | 'ask' | 'close'>;

function createHttp1(url: URL): Way {
	const secure = url.protocol === 'https:';
	const agent = secure ? new SecureAgent({ rejectUnauthorized: false }) : new Agent();
	const bodies = new Set<Readable>();
	return {
		protocol: 'HTTP/1.1',
		ask: (path, { method = 'GET', headers = {}, body } = {}) =>
			inTime(
				new Promise((resolve, reject) => {
					const request = (secure ? requestHttps : requestHttp)(new URL(path, url), {
						agent,
						method,
						headers,
					});
					request.once('error', reject);
					request.once('response', (response) => {
						bodies.add(response.on('error', () => {}));
						resolve({
							status: response.statusCode ?? 0,
							headers: response.headers,
							body: response,
						});
					});
					request.end(body);
				}),
				ANSWER_MS,
			),
		close() {
			for (const body of bodies) body.destroy();
			agent.destroy();
		},
	};
}

function createHttp2(url: URL, socket: TLSSocket): Way {
	const session: ClientHttp2Session = connectHttp2(url, { createConnection: () => socket });
	session.on('error', () => {});
	return {
		protocol: 'HTTP/2',
		ask: (path, { method = 'GET', headers = {}, body } = {}) =>
			inTime(
				new Promise((resolve, reject) => {
					const stream = session.request({ ...headers, ':method': method, ':path': path });
					stream.once('error', reject);
					stream.once('response', (answer) => {
						stream.off('error', reject).on('error', () => {});
						const { ':status': status = 0, ...rest } = answer;
						resolve({ status, headers: rest, body: stream });
					});
					stream.end(body);
				}),
				ANSWER_MS,
			),
		close: () => session.destroy(),
	};
}

/** The whole body as text, at most `maxBytes` of it. */
export async function readText({ body }: Answer, maxBytes = 1024 * 1024): Promise<string> {
	return inTime(
		(async () => {
			let text = '';
			for await (const chunk of body) {
				text += chunk;
				if (text.length > maxBytes) break;
			}
			return text;
		})(),
		ANSWER_MS,
	);
}
