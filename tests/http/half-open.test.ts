/** Connections that never come to the point, against `node build`, for which a minute lasts less than a second. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { WAIT_MS } from '../../src/lib/server/http/body-budget';
import { REST_MS } from '../../src/lib/server/http/read-body';
import { HEAD_MS, REQUEST_MS } from '../fuzz/judge';
import { lurk } from '../fuzz/lurk';
import { createAppServer } from '../setup/app-server';
import { createDatabase } from '../setup/database';

const HURRY = 100;
/** For a machine that has other things to do. */
const SLACK_MS = 20_000;
const LURKERS = 12;
const PRELOAD = new URL('../setup/hurry.js', import.meta.url).href;

async function start(hurry: number) {
	const { url, drop } = await createDatabase();
	const app = createAppServer(await freePort(), url, {
		HURRY: String(hurry),
		NODE_OPTIONS: `--import ${PRELOAD}`,
	});
	const stop = () => app.kill('SIGTERM').finally(drop);
	await app.start().catch((error) => stop().then(() => Promise.reject(error)));
	return { ...app, stop };
}

test('half a request is ended within 65 s, and a stream goes on', async () => {
	const app = await start(HURRY);
	onTestFinished(app.stop);
	const { patience } = JSON.parse(/\{"patience".*\}/.exec(app.output())?.[0] ?? '{}') as {
		patience: Record<string, number>;
	};
	expect(patience).toEqual({
		headersTimeout: expect.any(Number),
		requestTimeout: expect.any(Number),
		connectionsCheckingInterval: expect.any(Number),
	});
	const {
		headersTimeout = NaN,
		requestTimeout = NaN,
		connectionsCheckingInterval = NaN,
	} = patience;
	expect(headersTimeout).toBeGreaterThan(0);
	expect(requestTimeout).toBeGreaterThan(0);
	expect(headersTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(HEAD_MS);
	expect(requestTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(REQUEST_MS);

	const leaving = new AbortController();
	const stream = await fetch(`${app.url}/api/dashboard/stream`, { signal: leaving.signal });
	let streaming = true;
	void (async () => {
		const reader = stream.body?.getReader();
		while (!(await reader?.read())?.done);
	})()
		.catch(() => {})
		.finally(() => (streaming = false));

	const lurking = lurk(app.url, LURKERS);
	onTestFinished(lurking.stop);
	await expect
		.poll(() => lurking.counts().bodiesEnded, { timeout: 120_000 })
		.toBeGreaterThanOrEqual(LURKERS / 2);
	const { headsEnded, oldestMs } = lurking.counts();
	expect(headsEnded).toBeGreaterThanOrEqual(LURKERS / 2);
	expect(oldestMs.head).toBeLessThan(HEAD_MS / HURRY + SLACK_MS);
	expect(oldestMs.body).toBeLessThan(REQUEST_MS / HURRY + SLACK_MS);
	expect(streaming).toBe(true);
	leaving.abort();
}, 300_000);

describe('where Node waits for ever', () => {
	type Ended = { read: string; ms: number };
	let ends: Ended[];
	let isHeadClosed = false;

	beforeAll(async () => {
		const app = await start(0);
		const sockets: Socket[] = [];
		const since = performance.now();
		function dial(text: string): { socket: Socket; ended: Promise<Ended> } {
			const socket = connect({ host: 'localhost', port: Number(new URL(app.url).port) });
			sockets.push(socket);
			let read = '';
			socket.on('data', (chunk: Buffer) => (read += chunk)).on('error', () => {});
			socket.write(text);
			const closed = once(socket, 'close');
			return { socket, ended: closed.then(() => ({ read, ms: performance.now() - since })) };
		}
		const FORM = 'application/x-www-form-urlencoded';
		const head = (path: string, more: string, type = 'application/json') =>
			`POST ${path} HTTP/1.1\r\nhost: x\r\norigin: ${app.url}\r\ncontent-type: ${type}\r\n${more}\r\n\r\n`;
		dial('POST /api/events HTTP/1.1\r\nhost: x\r\na: ').socket.once(
			'close',
			() => (isHeadClosed = true),
		);
		const bodies = [
			// known length, in pieces, refused for its key, and read by no handler
			head('/api/events', 'content-length: 400000') + '[',
			head('/api/events', 'transfer-encoding: chunked') + '1\r\n[\r\n',
			head('/api/events', 'authorization: Bearer x\r\ncontent-length: 400000') + '[',
			head('/login', 'content-length: 400000', FORM) + 'password=',
		];
		ends = await Promise.all(bodies.map((text) => dial(text).ended));
		return async () => {
			for (const socket of sockets) socket.destroy();
			await app.stop();
		};
	}, 300_000);

	test('half a body is refused after 15 s, one that no handler reads at once, and both connections are closed', () => {
		expect(ends.map(({ read }) => /^HTTP\/1\.1 (\d+)/.exec(read)?.[1])).toEqual([
			'408',
			'408',
			'401',
			'404',
		]);
		for (const { read } of ends) expect(read).toMatch(/\r\nconnection: close\r\n/i);
		const [slow, , , unread] = ends;
		expect(unread?.ms).toBeLessThan(slow?.ms ?? 0);
		for (const { ms } of ends) expect(ms).toBeLessThan(WAIT_MS + REST_MS + SLACK_MS);
	});

	test('(control) half a head stays', () => {
		expect(isHeadClosed).toBe(false);
	});
});
