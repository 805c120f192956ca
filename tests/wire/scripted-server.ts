/**
 * A web server on loopback that answers as it is told: each path has a script, one answer for each request, and keeps what it
 * was asked. `/` is a page with the script of tests/wire/page.ts.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';

export type Answer = {
	status?: number;
	headers?: Record<string, string>;
	body?: string | readonly Uint8Array[];
	/** the body ends, the connection is cut, or it stays open; default: ends */
	then?: 'end' | 'cut' | 'stay';
	/** no answer at all: cut, or left waiting */
	silent?: 'cut' | 'stay';
};
/** Waited for before a connection is cut: Chromium may drop what it has read when an error comes right behind it. */
export type BeforeCut = () => Promise<void>;
/** `at`: when it came, `performance.now()` of the server */
export type Asked = { at: number; query: string; headers: IncomingHttpHeaders };

export async function startScriptedServer(script: string) {
	const scripts = new Map<string, { answers: readonly Answer[]; beforeCut: BeforeCut }>();
	const asked = new Map<string, Asked[]>();
	const left = new Map<string, number>();
	const server = createServer((request, response) => {
		const url = new URL(request.url ?? '/', 'http://localhost');
		const played = scripts.get(url.pathname);
		if (!played) {
			response.writeHead(url.pathname === '/' ? 200 : 404, {
				'content-type': 'text/html; charset=utf-8',
				'set-cookie': 'login=yes; SameSite=Strict',
			});
			response.end(`<title>wire</title><link rel="icon" href="data:,"><script>${script}</script>`);
			return;
		}
		const before = asked.get(url.pathname) ?? [];
		const at = performance.now();
		asked.set(url.pathname, [...before, { at, query: url.search, headers: request.headers }]);
		response.on('close', () => left.set(url.pathname, (left.get(url.pathname) ?? 0) + 1));
		// after the last line of the script it stays open and says nothing
		const next = played.answers[before.length] ?? { body: ':\n\n', then: 'stay' };
		void answer(response, next, played.beforeCut);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		/** @returns the path that answers so */
		play(path: string, answers: readonly Answer[], beforeCut: BeforeCut = async () => {}): string {
			scripts.set(path, { answers, beforeCut });
			return path;
		},
		asked: (path: string): Asked[] => asked.get(path) ?? [],
		/** how many of its answers have ended */
		left: (path: string): number => left.get(path) ?? 0,
		async close() {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}
export type ScriptedServer = Awaited<ReturnType<typeof startScriptedServer>>;

/** The beginning of a comment that never ends. */
const CUT = ':';

async function answer(
	response: ServerResponse,
	{ status, headers, body, then, silent }: Answer,
	beforeCut: BeforeCut,
) {
	if (silent === 'stay') return;
	if (silent === 'cut') return void response.destroy();
	response.writeHead(status ?? 200, { 'content-type': 'text/event-stream', ...headers });
	for (const chunk of typeof body === 'string' ? [body] : (body ?? [])) {
		if (!response.write(chunk)) await once(response, 'drain');
		// a chunk of its own on the wire
		else await setImmediate();
	}
	if (then === 'cut') response.write(CUT, () => void beforeCut().then(() => response.destroy()));
	else if (then === 'stay') response.flushHeaders();
	else response.end();
}
