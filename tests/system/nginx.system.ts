/** Behind a reverse proxy that is not configured for streams: what our headers and heartbeats are for. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { PING_INTERVAL_MS } from '../../src/lib/protocol';
import { createAppServer, type RunningApp } from '../setup/app-server';
import type { Follower } from '../setup/follow';
import { followHttp, post } from '../setup/follow-http';
import { useDatabase } from '../setup/instances';
import { restartInTurn } from '../setup/rolling';
import { startNginx } from './nginx';

async function startBehindNginx(count = 1) {
	const { url: databaseUrl, sql } = await useDatabase();
	const apps: RunningApp[] = [];
	for (let i = 0; i < count; i++) {
		const app = createAppServer(await freePort(), databaseUrl);
		onTestFinished(() => app.kill('SIGTERM'));
		await app.start();
		apps.push(app);
	}
	const proxy = await startNginx(apps.map(({ url }) => url.replace('localhost', '127.0.0.1')));
	return { app: apps[0] as RunningApp, apps, sql, proxy };
}

const names = (client: Follower) =>
	client.of('activity').flatMap(({ events }) => events.map(({ name }) => name));

test('frames pass one by one, though the proxy buffers; without our header they would not', async () => {
	const { app, proxy } = await startBehindNginx();
	const buffered = followHttp(proxy.bufferedUrl);
	const client = followHttp(proxy.url);
	await client.until(({ resets }) => resets() === 1);
	for (const name of ['first', 'second', 'third']) {
		expect(await post(proxy.url, { name })).toBe(202);
		await client.until((one) => names(one).at(-1) === name);
	}
	expect(names(client)).toEqual(['first', 'second', 'third']);
	expect([buffered.status(), buffered.events]).toEqual([0, []]);
	// it was a client all the time: the proxy hands over what it kept when the answer ends
	await app.kill('SIGTERM');
	await buffered.until(({ ended }) => ended());
	expect([buffered.status(), buffered.resets()]).toEqual([200, 1]);
});

test('pings pass while nothing happens', async () => {
	const { proxy } = await startBehindNginx();
	const client = followHttp(proxy.url);
	await client.until(({ resets }) => resets() === 1);
	const before = client.of('ping').length;
	await client.until(({ of }) => of('ping').length > before, PING_INTERVAL_MS + 10_000);
	expect(client.of('ping').at(-1)).toMatchObject({ database: 'up', listener: 'up' });
});

test('a client that comes back with its cursor gets what it missed, once, and no reset', async () => {
	const { proxy, sql } = await startBehindNginx();
	const first = followHttp(proxy.url);
	await first.until(({ resets }) => resets() === 1);
	expect(await post(proxy.url, { name: 'seen' })).toBe(202);
	await first.until((one) => names(one).includes('seen'));
	await first.leave();
	await sql`INSERT INTO nowboard.events (name) VALUES ('missed')`;
	const second = followHttp(proxy.url, first.cursor());
	await second.until((one) => names(one).includes('missed'));
	expect(await post(proxy.url, { name: 'new' })).toBe(202);
	await second.until((one) => names(one).includes('new'));
	expect([names(second), second.resets()]).toEqual([['missed', 'new'], 0]);
});

test('a server that is stopped says goodbye and ends the answer, and the next one goes on from there', async () => {
	const { app, proxy, sql } = await startBehindNginx();
	const client = followHttp(proxy.url);
	await client.until(({ resets }) => resets() === 1);
	await app.kill('SIGTERM');
	await client.until(({ ended }) => ended());
	expect([client.status(), client.events.at(-1)?.name]).toEqual([200, 'bye']);
	await sql`INSERT INTO nowboard.events (name) VALUES ('meanwhile')`;
	await app.start();
	const next = followHttp(proxy.url, client.cursor());
	await next.until((one) => names(one).includes('meanwhile'));
	expect([names(next), next.resets()]).toEqual([['meanwhile'], 0]);
});

test('a rolling restart of two instances: no loss, no double, no failed answer', async () => {
	const { apps, proxy, sql } = await startBehindNginx(2);
	await restartInTurn(apps, proxy.url, sql);
}, 120_000);
