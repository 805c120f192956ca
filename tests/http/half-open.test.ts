/** Connections that never come to the point, against `node build`, for which a minute lasts less than a second. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { WAIT_MS } from '../../src/lib/server/http/body-budget';
import { REST_MS } from '../../src/lib/server/http/read-body';
import { HEAD_MS, REQUEST_MS } from '../fuzz/judge';
import { lurk } from '../fuzz/lurk';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

const HURRY = 100;
/** For a machine that has other things to do. */
const SLACK_MS = 20_000;
const LURKERS = 12;
const PRELOAD = new URL('../setup/hurry.js', import.meta.url).href;

async function start(hurry: number) {
	const { url } = await useDatabase();
	const app = createAppServer(await freePort(), url, {
		HURRY: String(hurry),
		NODE_OPTIONS: `--import ${PRELOAD}`,
	});
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	return app;
}

test('half a request is ended within 65 s, and a stream goes on; (control) without a limit heads stay', async () => {
	const [app, patient] = await Promise.all([start(HURRY), start(0)]);
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
	const staying = lurk(patient.url, LURKERS);
	onTestFinished(() => [lurking, staying].forEach((one) => one.stop()));
	await expect
		.poll(() => lurking.counts().bodiesEnded, { timeout: 120_000 })
		.toBeGreaterThanOrEqual(LURKERS / 2);
	const { headsEnded, oldestMs } = lurking.counts();
	expect(headsEnded).toBeGreaterThanOrEqual(LURKERS / 2);
	expect(oldestMs.head).toBeLessThan(HEAD_MS / HURRY + SLACK_MS);
	expect(oldestMs.body).toBeLessThan(REQUEST_MS / HURRY + SLACK_MS);
	expect(streaming).toBe(true);
	// bodies do not: the next test
	expect(staying.counts()).toMatchObject({ headsEnded: 0 });
	leaving.abort();
}, 300_000);

test('half a body is refused after 15 s, and one that no handler reads at once; both connections are closed, also where Node waits for ever; (control) half a head stays', async () => {
	const app = await start(0);
	const since = performance.now();
	function dial(text: string) {
		const socket = connect({ host: 'localhost', port: Number(new URL(app.url).port) });
		onTestFinished(() => void socket.destroy());
		let read = '';
		socket.on('data', (chunk: Buffer) => (read += chunk)).on('error', () => {});
		socket.write(text);
		return { socket, read: () => read };
	}
	const FORM = 'application/x-www-form-urlencoded';
	const head = (path: string, more: string, type = 'application/json') =>
		`POST ${path} HTTP/1.1\r\nhost: x\r\norigin: ${app.url}\r\ncontent-type: ${type}\r\n${more}\r\n\r\n`;
	const known = dial(head('/api/events', 'content-length: 400000') + '[');
	const pieces = dial(head('/api/events', 'transfer-encoding: chunked') + '1\r\n[\r\n');
	const wrong = dial(
		head('/api/events', 'authorization: Bearer x\r\ncontent-length: 400000') + '[',
	);
	const nowhere = dial(head('/login', 'content-length: 400000', FORM) + 'password=');
	const beginning = dial('POST /api/events HTTP/1.1\r\nhost: x\r\na: ');
	let isHeadClosed = false;
	beginning.socket.once('close', () => (isHeadClosed = true));

	const ended = async ({ socket, read }: ReturnType<typeof dial>) => {
		await once(socket, 'close');
		return { read: read(), ms: performance.now() - since };
	};
	const ends = await Promise.all([known, pieces, wrong, nowhere].map(ended));
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
	expect(isHeadClosed).toBe(false);
}, 300_000);
