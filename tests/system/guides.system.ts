/** The proxies of docs/deploy/vm.md as they stand there, with TLS and HTTP/2: only addresses and files are put in. */
import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session } from 'node:http2';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { PING_INTERVAL_MS } from '../../src/lib/protocol';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { follow } from '../setup/follow';
import { useDatabase } from '../setup/instances';
import { restartInTurn } from '../setup/rolling';
import { makeTemporaryFolder } from '../setup/server';
import { GUIDE_PROXIES, startBehindGuide, type GuideProxy } from './behind-guide';
import { runCaddy } from './caddy';
import { GUIDE_NAME, readGuide } from './guide';
import { runNginx } from './nginx';

const TABS = 20;

/** Opens connections to the proxy; each carries many requests, as a browser's does. */
async function startBehind(proxy: GuideProxy): Promise<() => Promise<ClientHttp2Session>> {
	const { port, certificate, said } = await startBehindGuide(proxy, {
		DASHBOARD_PASSWORD: 'correct horse',
	});
	const open = () =>
		new Promise<ClientHttp2Session>((resolve, reject) => {
			const ca = readFileSync(certificate);
			const session = connect(`https://127.0.0.1:${port}`, { ca, servername: GUIDE_NAME });
			session.once('connect', () => resolve(session));
			session.once('error', reject);
			onTestFinished(() => session.destroy());
		});
	const connects = () =>
		open().then(
			() => true,
			(error: Error) => `${error.message}\n${said()}`,
		);
	await expect.poll(connects, { timeout: 10_000 }).toBe(true);
	return open;
}
const connectBehind = async (proxy: GuideProxy) => (await startBehind(proxy))();

/** @returns the status and the body */
function post(
	session: ClientHttp2Session,
	path: string,
	type: string,
	body: string,
	headers: Record<string, string> = {},
): Promise<[number, string]> {
	return new Promise((resolve, reject) => {
		const request = session.request({
			':method': 'POST',
			':authority': GUIDE_NAME,
			':path': path,
			'content-type': type,
			...headers,
		});
		let status = 0;
		let text = '';
		request.once('response', (answer) => (status = Number(answer[':status'])));
		request.on('data', (chunk: Buffer) => (text += chunk));
		request.once('end', () => resolve([status, text]));
		request.once('error', reject);
		request.end(body);
	});
}

test.each(GUIDE_PROXIES)(
	`%s: ${TABS} visible tabs over one HTTP/2 connection: each event comes at once to all, and so do pings`,
	async (proxy) => {
		const session = await connectBehind(proxy);
		expect(session.alpnProtocol).toBe('h2');
		const open = () => {
			const request = session.request({
				':authority': GUIDE_NAME,
				':path': '/api/dashboard/stream',
			});
			return Readable.toWeb(request) as unknown as ReadableStream<Uint8Array>;
		};
		const tabs = Array.from({ length: TABS }, () => follow({ open }));
		for (const tab of tabs) await tab.until(({ resets }) => resets() === 1);
		for (const count of [1, 2, 3]) {
			const event = JSON.stringify({ name: 'event' });
			const [status] = await post(session, '/api/events', 'application/json', event);
			expect(status).toBe(202);
			for (const tab of tabs) await tab.until(({ ids }) => ids.length === count, 2_000);
		}
		const heard = tabs.map(({ of }) => of('ping').length);
		for (const [i, tab] of tabs.entries())
			await tab.until(({ of }) => of('ping').length > (heard[i] ?? 0), PING_INTERVAL_MS + 5_000);
		const states = tabs.map(({ ended, resets }) => [ended(), resets()]);
		expect(states).toEqual(tabs.map(() => [false, 1]));
		for (const tab of tabs) await tab.leave();
	},
);

test.each(GUIDE_PROXIES)(
	'%s: a login passes, from the origin that people use alone',
	async (proxy) => {
		const session = await connectBehind(proxy);
		const logIn = (password: string, origin: string, forwarded = {}) =>
			post(
				session,
				'/login',
				'application/x-www-form-urlencoded',
				new URLSearchParams({ password }).toString(),
				{ origin, accept: 'application/json', 'x-sveltekit-action': 'true', ...forwarded },
			).then(([status, text]) => [status, (JSON.parse(text) as { type?: string }).type]);
		expect(await logIn('correct horse', `https://${GUIDE_NAME}`)).toEqual([200, 'redirect']);
		expect(await logIn('correct horse', 'https://elsewhere.example')).toEqual([403, undefined]);
		// a visitor's own X-Forwarded-For does not make of one guesser many
		const guess = (i: number) =>
			logIn(`wrong ${i}`, `https://${GUIDE_NAME}`, { 'x-forwarded-for': `10.0.0.${i}` });
		for (let i = 0; i < 5; i++) expect((await guess(i))[1]).toBe('failure');
		expect((await logIn('correct horse', `https://${GUIDE_NAME}`))[1]).toBe('failure');
	},
);

/** Statuses of so many GETs at once; those of streams are known while they last. */
function getMany(session: ClientHttp2Session, path: string, count: number): Promise<number[]> {
	const one = () =>
		new Promise<number>((resolve, reject) => {
			const request = session.request({ ':authority': GUIDE_NAME, ':path': path });
			request.once('response', (answer) => resolve(Number(answer[':status'])));
			request.once('error', reject);
			request.resume();
		});
	return Promise.all(Array.from({ length: count }, one));
}
const times = (statuses: number[], status: number) =>
	statuses.filter((one) => one === status).length;

test('nginx: a flood of requests from one address is answered 429 by the proxy, and a stream goes on', async () => {
	const open = await startBehind('nginx');
	const session = await open();
	const stream = { ':authority': GUIDE_NAME, ':path': '/api/dashboard/stream' };
	const body = () =>
		Readable.toWeb(session.request(stream)) as unknown as ReadableStream<Uint8Array>;
	const tab = follow({ open: body });
	await tab.until(({ resets }) => resets() === 1);
	const sessions = await Promise.all(Array.from({ length: 20 }, open));
	const since = performance.now();
	const flood = (one: ClientHttp2Session) => getMany(one, '/healthz', 100);
	const statuses = (await Promise.all(sessions.map(flood))).flat();
	// 400 at once, and 100 a second
	const most = 400 + 100 * ((performance.now() - since) / 1_000 + 1);
	expect(times(statuses, 200)).toBeLessThanOrEqual(most);
	expect(times(statuses, 200) + times(statuses, 429)).toBe(2_000);
	const sent = () =>
		post(session, '/api/events', 'application/json', '{"name":"after"}').then(([status]) => status);
	await expect.poll(sent, { timeout: 10_000 }).toBe(202);
	await tab.until(({ ids }) => ids.length === 1);
	await tab.leave();
});

test('nginx: one address has at most 200 streams', async () => {
	const open = await startBehind('nginx');
	const statuses: number[] = [];
	for (let i = 0; i < 3; i++)
		statuses.push(...(await getMany(await open(), '/api/dashboard/stream', 100)));
	expect([times(statuses, 200), times(statuses, 429)]).toEqual([200, 100]);
});

/** https://github.com/caddyserver/caddy/issues/7546: the body of a POST is lost when the second instance is asked. */
const FORGIVEN: Record<string, number[]> = { Caddy: [502] };

/** In front of two instances on ports of their own, without TLS: what is looked at is whom they ask. */
const PROXIES_OF_TWO: Record<string, (folder: string, port: number, apps: string[]) => void> = {
	nginx(folder, port, [first = '', second = '']) {
		const upstream = readGuide('nginx of two', [
			['127.0.0.1:3000', first],
			['127.0.0.1:3001', second],
		]);
		const server = `server { listen 127.0.0.1:${port}; location / { proxy_pass http://nowboard; } }`;
		runNginx(folder, `${upstream}\n${server}`);
	},
	Caddy(folder, port, [first = '', second = '']) {
		const site = readGuide('Caddy of two', [
			[`${GUIDE_NAME} {`, `http://127.0.0.1:${port} {`],
			['127.0.0.1:3000', first],
			['127.0.0.1:3001', second],
		]);
		runCaddy(folder, site);
	},
};

test.each(Object.keys(PROXIES_OF_TWO))(
	'%s in front of two instances, restarted in turn: pages miss nothing and see nothing twice; no POST fails but as Caddy is known to',
	async (proxy) => {
		const { url: databaseUrl, sql } = await useDatabase();
		const apps: RunningApp[] = [];
		for (let i = 0; i < 2; i++) {
			const app = createAppServer(await freePort(), databaseUrl);
			onTestFinished(() => app.kill('SIGTERM'));
			await app.start();
			apps.push(app);
		}
		const port = await freePort();
		const hosts = apps.map(({ url }) => `127.0.0.1:${new URL(url).port}`);
		PROXIES_OF_TWO[proxy]?.(makeTemporaryFolder(), port, hosts);
		const url = `http://127.0.0.1:${port}`;
		const answers = () =>
			fetch(`${url}/healthz`).then(
				({ status }) => status,
				() => null,
			);
		await expect.poll(answers, { timeout: 10_000 }).toBe(200);
		await restartInTurn(apps, url, sql, FORGIVEN[proxy]);
	},
	120_000,
);
