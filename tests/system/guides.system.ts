/** The nginx configuration of docs/deploy/vm.md as it stands there, with TLS and HTTP/2: only addresses and files are put in. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/ports';
import { findProgram } from '../../scripts/system-programs';
import { PING_INTERVAL_MS } from '../../src/lib/protocol';
import { createAppServer } from '../setup/app-server';
import { follow } from '../setup/follow';
import { useDatabase } from '../setup/instances';
import { makeTemporaryFolder } from '../setup/server';
import { runNginx } from './nginx';

const NAME = 'now.example.com';
const TABS = 20;

/** Everything after `listen` in the guide stays as it is. */
function readConfiguration(puts: [from: string, to: string][]): string {
	const guide = readFileSync('docs/deploy/vm.md', 'utf8');
	let text = /```nginx\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
	for (const [from, to] of puts) {
		expect(text, 'the guide').toContain(from);
		text = text.replace(from, to);
	}
	return text;
}

/** A certificate for NAME that nobody has signed but itself. @returns its files */
function makeCertificate(folder: string): { certificate: string; key: string } {
	const openssl = findProgram('openssl');
	if (!openssl) throw new Error('There is no openssl: npm run test:system says how to install it.');
	const [certificate, key] = [join(folder, 'fullchain.pem'), join(folder, 'privkey.pem')];
	execFileSync(
		openssl,
		[
			...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
			...['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-days', '1'],
			...['-keyout', key, '-out', certificate],
		],
		{ stdio: 'pipe' },
	);
	return { certificate, key };
}

/** One connection, as a browser has for all its tabs. */
async function startBehindGuide(): Promise<ClientHttp2Session> {
	const { url } = await useDatabase();
	const app = createAppServer(await freePort(), url, { ORIGIN: `https://${NAME}` });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const folder = makeTemporaryFolder();
	const { certificate, key } = makeCertificate(folder);
	const port = await freePort();
	const letsencrypt = `/etc/letsencrypt/live/${NAME}`;
	const output = runNginx(
		folder,
		readConfiguration([
			['listen 443 ssl http2', `listen 127.0.0.1:${port} ssl http2`],
			['127.0.0.1:3000', new URL(app.url).host.replace('localhost', '127.0.0.1')],
			[`${letsencrypt}/fullchain.pem`, certificate],
			[`${letsencrypt}/privkey.pem`, key],
		]),
	);
	const open = () =>
		new Promise<ClientHttp2Session>((resolve, reject) => {
			const ca = readFileSync(certificate);
			const session = connect(`https://127.0.0.1:${port}`, { ca, servername: NAME });
			session.once('connect', () => resolve(session));
			session.once('error', reject);
		});
	let session: ClientHttp2Session | undefined;
	const connects = () =>
		open().then(
			(one) => !!(session = one),
			(error: Error) => `${error.message}\n${output()}`,
		);
	await expect.poll(connects, { timeout: 10_000 }).toBe(true);
	onTestFinished(() => session?.destroy());
	return session as unknown as ClientHttp2Session;
}

function post(session: ClientHttp2Session, event: { name: string }): Promise<number> {
	return new Promise((resolve, reject) => {
		const request = session.request({
			':method': 'POST',
			':authority': NAME,
			':path': '/api/events',
			'content-type': 'application/json',
		});
		request.once('response', (headers) => resolve(Number(headers[':status'])));
		request.once('error', reject);
		request.end(JSON.stringify(event));
		request.resume();
	});
}

test(`${TABS} visible tabs over one HTTP/2 connection: each event comes at once to all, and so do pings`, async () => {
	const session = await startBehindGuide();
	expect(session.alpnProtocol).toBe('h2');
	const open = () => {
		const request = session.request({ ':authority': NAME, ':path': '/api/dashboard/stream' });
		return Readable.toWeb(request) as unknown as ReadableStream<Uint8Array>;
	};
	const tabs = Array.from({ length: TABS }, () => follow({ open }));
	for (const tab of tabs) await tab.until(({ resets }) => resets() === 1);
	for (const count of [1, 2, 3]) {
		expect(await post(session, { name: 'event' })).toBe(202);
		for (const tab of tabs) await tab.until(({ ids }) => ids.length === count, 2_000);
	}
	const heard = tabs.map(({ of }) => of('ping').length);
	for (const [i, tab] of tabs.entries())
		await tab.until(({ of }) => of('ping').length > (heard[i] ?? 0), PING_INTERVAL_MS + 5_000);
	expect(tabs.map(({ ended, resets }) => [ended(), resets()])).toEqual(tabs.map(() => [false, 1]));
	for (const tab of tabs) await tab.leave();
});
