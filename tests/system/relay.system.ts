/** The relay over a real Redis: who may in, what is said when it does not work, and that instances share one reader. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/lib/server/db/connect';
import { createRedisRelay, toKey } from '../../src/lib/server/relay/redis-relay';
import { RELAY_TROUBLES } from '../../src/lib/server/relay/trouble';
import { toRelayPart } from '../../src/lib/server/relay/health-part';
import { follow } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';
import { startRedis, type TestRedis } from '../setup/redis';
import { examineRelay } from '../../scripts/doctor/relay';
import { createAppServer } from '../setup/app-server';
import { makeTemporaryFolder } from '../setup/server';
import { findReader } from '../faults/inflict';
import { freePort } from '../../scripts/process/ports';
import { startTcpProxy } from '../setup/tcp-proxy';
import { makeSelfSigned } from '../setup/self-signed';

async function useRedis(options: Parameters<typeof startRedis>[0] = {}): Promise<TestRedis> {
	const redis = await startRedis(options);
	onTestFinished(redis.drop);
	return redis;
}

async function startInstance(databaseUrl: string, url: string, role: 'all' | 'edge' = 'all') {
	const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
	const relay = createRedisRelay(
		{ url, role },
		{ databaseUrl, databaseSchema: 'nowboard' },
		{ connect: () => connect(databaseUrl, { max: 1 }), log },
	);
	return startTestInstance(databaseUrl, { relay, ready: role === 'all' });
}

describe('instances with one reader', () => {
	test('take every event from Redis; it is bounded; emptied, killed or paused, nothing is missed', async () => {
		const { url, sql } = await useDatabase();
		const redis = await useRedis();
		const address = `redis://127.0.0.1:${redis.port}/3`;
		const reader = await startInstance(url, address);
		await expect.poll(() => reader.relay()?.mode).toBe('reader');
		const other = await startInstance(url, address);
		const edge = await startInstance(url, address, 'edge');
		const followers = [other, edge];
		for (const one of followers) await expect.poll(() => one.relay()?.mode).toBe('follower');
		const clients = [reader, ...followers].map((one) => follow(one));
		for (const client of clients) await client.until(() => client.resets() === 1);
		let written = 0;
		async function write() {
			await sql`insert into nowboard.events (name) values ('x')`;
			written++;
		}
		const arrived = async (of = clients) => {
			for (const client of of) await client.until(() => client.ids.length === written);
		};
		for (let i = 0; i < 20; i++) {
			await write();
			await arrived();
		}
		expect(other.relay()).toMatchObject({ gaps: 0, foreign: 0 });

		await redis.command('FLUSHALL');
		await write();
		await arrived();
		await redis.kill();
		await write();
		await arrived(clients.slice(0, 2));
		await expect.poll(() => edge.status().reading).toBe('relay');
		await redis.start();
		await arrived();
		redis.pause();
		await write();
		await arrived(clients.slice(0, 2));
		redis.resume();
		await arrived();
		for (const client of clients) {
			expect(new Set(client.ids).size).toBe(written);
			expect([client.resets(), client.omitted()]).toEqual([1, 0]);
		}
		await expect
			.poll(() => [other, reader].map((one) => one.relay()?.mode).sort())
			.toEqual(['follower', 'reader']);
		expect(edge.missing()).toEqual([]);
	});
});

describe('what RELAY_URL says', () => {
	test.each(['redis', 'rediss'])('%s, with a password', async (scheme) => {
		const { url } = await useDatabase();
		const tls = scheme === 'rediss' ? makeSelfSigned(['localhost', '127.0.0.1']) : undefined;
		const redis = await useRedis({ password: 'p@ss word', ...(tls && { tls }) });
		const at = `127.0.0.1:${redis.port}/1`;
		const refused = await startInstance(url, `${scheme}://:wrong@${at}`);
		const trouble = scheme === 'redis' ? 'denied' : 'tls';
		await expect.poll(() => refused.relay()?.trouble).toBe(trouble);
		expect(toRelayPart(refused.relay())?.words).toContain(RELAY_TROUBLES[trouble]);
		expect(refused.missing()).toEqual([]);
		if (tls) {
			// NODE_EXTRA_CA_CERTS is read when Node starts
			const folder = makeTemporaryFolder();
			onTestFinished(() => rmSync(folder, { recursive: true }));
			const file = join(folder, 'ca.pem');
			writeFileSync(file, tls.certificate);
			const app = createAppServer(await freePort(), url, {
				RELAY_URL: `rediss://:${encodeURIComponent('p@ss word')}@${at}`,
				NODE_EXTRA_CA_CERTS: file,
			});
			onTestFinished(() => app.kill('SIGKILL'));
			await app.start();
			expect((await findReader([app]))?.url).toBe(app.url);
			return;
		}
		const taken = await startInstance(url, `${scheme}://:${encodeURIComponent('p@ss word')}@${at}`);
		await expect.poll(() => taken.relay()?.mode).toBe('reader');
	});

	test('nothing there, no Redis, another kind of value under the key, a Redis that takes no writes', async () => {
		const { url } = await useDatabase();
		const redis = await useRedis();
		const mute = await startTcpProxy(redis.port);
		onTestFinished(mute.close);
		mute.freeze();
		const gone = await startTcpProxy(1);
		onTestFinished(gone.close);
		for (const [port, trouble] of [
			[gone.port, 'unreachable'],
			[mute.port, 'slow'],
		] as const) {
			const one = await startInstance(url, `redis://127.0.0.1:${port}`);
			await expect.poll(() => one.relay()?.trouble).toBe(trouble);
			await one.stop();
		}
		await redis.command('SET', toKey(url, 'nowboard'), 'x');
		const one = await startInstance(url, `redis://127.0.0.1:${redis.port}`);
		await expect.poll(() => one.relay()?.trouble).toBe('other');
		await redis.command('DEL', toKey(url, 'nowboard'));
		await expect.poll(() => one.relay()).toMatchObject({ mode: 'reader', trouble: null });
		await redis.command('CONFIG', 'SET', 'maxmemory', '1');
		await expect.poll(() => one.relay()?.trouble).toBe('full');

		const asked = (port: number) => examineRelay(`redis://127.0.0.1:${port}`, url, 'nowboard');
		expect(await asked(redis.port)).toMatchObject({ is: 'well' });
		expect(await asked(gone.port)).toMatchObject({
			is: 'wrong',
			says: `Redis cannot be used: ${RELAY_TROUBLES.unreachable}`,
		});
	});
});

/** One signal 0 to a process that is there does nothing; to one that is gone it throws. */
function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

test.each(['running', 'paused'])(
	'a %s Redis ends with the process that started it',
	async (how) => {
		const script = new URL('../setup/redis.ts', import.meta.url).href;
		const code = `const redis = await (await import(${JSON.stringify(script)})).startRedis();
		if ('${how}' === 'paused') redis.pause();
		console.log(redis.pid());
		setInterval(() => {}, 1_000);`;
		const starter = spawn(
			process.execPath,
			['--import', 'tsx', '--input-type=module', '-e', code],
			{
				stdio: ['ignore', 'pipe', 'inherit'],
			},
		);
		onTestFinished(() => void starter.kill('SIGKILL'));
		const [line] = (await once(starter.stdout, 'data')) as [Buffer];
		const pid = Number(String(line));
		expect(isAlive(pid)).toBe(true);
		starter.kill('SIGKILL');
		await expect.poll(() => isAlive(pid)).toBe(false);
	},
);
