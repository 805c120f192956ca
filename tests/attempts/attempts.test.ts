/** The attempts against `node build`: bare, behind a reverse proxy, and, as the control, with the gate off. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { startReverseProxy } from '../setup/reverse-proxy';
import { withEveryRight } from './attempt';
import { ATTEMPTS, GRANTED, runAttempts } from './run';
import {
	addSession,
	COOKIE,
	createWorld,
	METRICS_TOKEN,
	PASSWORD,
	SECRET,
	WORLD_ENV,
} from './world';

async function start(env: Record<string, string> = {}) {
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(await freePort(), databaseUrl, { ...WORLD_ENV, ...env });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	return { app, sql, databaseUrl };
}

/** Every line is one of ours, and none contains a secret. */
function readLog(output: string, secrets: readonly string[]) {
	const lines = output
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('Listening on '));
	return {
		forged: lines.filter((line) => !/^\{"level":\d+,.*\}$/.test(line)),
		told: secrets.filter((secret) => output.includes(secret)),
		lines: lines.length,
	};
}

test('more than sixty attempts, each by a name of its own', () => {
	const names = ATTEMPTS.map(({ what }) => what);
	expect(new Set(names).size).toBe(names.length);
	expect(names.length).toBeGreaterThan(200);
});

test('no attempt reads, logs in or writes without permission, and the log has no secret', async () => {
	const { app, sql } = await start();
	const world = await createWorld(app.url, app.url, sql);
	const run = { url: app.url, world, sql };
	expect(await runAttempts({ ...run, attempts: GRANTED })).toEqual({});
	expect(await runAttempts(run)).toEqual({});
	const secrets = [
		...[PASSWORD, SECRET, METRICS_TOKEN, world.session, world.sessionHash, world.link],
		...Object.values(world.ended),
		...Object.values(world.tokens),
		...Object.values(world.keys),
	];
	expect(readLog(app.output(), secrets)).toMatchObject({ forged: [], told: [] });
	expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
}, 300_000);

test('the same behind a reverse proxy', async () => {
	const proxy = await startReverseProxy();
	onTestFinished(proxy.close);
	const { app, sql } = await start({ ORIGIN: proxy.url, XFF_DEPTH: '2' });
	proxy.point(app.url);
	const world = await createWorld(proxy.url, proxy.url, sql);
	expect(await runAttempts({ url: proxy.url, world, sql, behindProxy: true })).toEqual({});
}, 300_000);

test('(control) with the gate off, every attempt that it stops does harm', async () => {
	const { app, sql, databaseUrl } = await start();
	const world = await createWorld(app.url, app.url, sql);
	await app.kill('SIGTERM');
	const open = createAppServer(Number(new URL(app.url).port), databaseUrl, {
		...WORLD_ENV,
		DASHBOARD_PUBLIC: 'true',
		INGEST_OPEN: 'true',
	});
	onTestFinished(() => open.kill('SIGTERM'));
	await open.start();
	const attempts = ATTEMPTS.filter(({ by }) => by === 'gate');
	const faults = await runAttempts({
		url: app.url,
		world,
		sql,
		attempts,
		async change(asked) {
			return withEveryRight(asked, `${COOKIE}=${(await addSession(sql)).token}`, app.url);
		},
	});
	expect(attempts.map(({ what }) => what).filter((what) => !(what in faults))).toEqual([]);
}, 300_000);
