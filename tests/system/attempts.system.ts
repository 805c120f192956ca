/** The table of attempts (tests/attempts) through nginx with TLS: what it tidies up, refuses and adds by itself. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { runAttempts } from '../attempts/run';
import { createWorld, PASSWORD, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { makeTemporaryFolder } from '../setup/server';
import { createAgent, send } from '../setup/wire';
import { makeCertificate } from './certificate';
import { runNginx } from './nginx';

test('no one views, logs in or writes without permission, through nginx and TLS', async () => {
	const [port, appPort] = [await freePort(), await freePort()];
	const url = `https://127.0.0.1:${port}`;
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(appPort, databaseUrl, { ...WORLD_ENV, ORIGIN: url, XFF_DEPTH: '2' });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const folder = makeTemporaryFolder();
	const { certificate, key } = makeCertificate(folder, 'now.example.com');
	runNginx(
		folder,
		`server {
			listen 127.0.0.1:${port} ssl;
			ssl_certificate ${certificate};
			ssl_certificate_key ${key};
			location / {
				proxy_pass http://127.0.0.1:${appPort};
				proxy_http_version 1.1;
				proxy_set_header Host $http_host;
				proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
				proxy_set_header X-Forwarded-Proto $scheme;
			}
		}`,
	);
	const agent = createAgent(url, 0);
	const ask = (path: string) => send(url, agent, { method: 'GET', path, headers: {}, body: null });
	await expect.poll(async () => (await ask('/healthz')).status, { timeout: 10_000 }).toBe(200);
	const world = await createWorld(`http://127.0.0.1:${appPort}`, url, sql);
	expect(await runAttempts({ url, world, sql, behindProxy: true })).toEqual({});

	const entered = await send(url, agent, {
		method: 'POST',
		path: '/login',
		headers: {
			origin: url,
			accept: 'text/html',
			'content-type': 'application/x-www-form-urlencoded',
		},
		body: Buffer.from(new URLSearchParams({ password: PASSWORD }).toString()),
	});
	expect(entered.status).toBe(303);
	expect(String(entered.headers['set-cookie'])).toMatch(/HttpOnly; Secure; SameSite=Lax/);
	expect(entered.headers['strict-transport-security']).toContain('max-age=');
}, 120_000);
