/** The parts of a run with a relay: Redis, a proxy before it for each instance, and what may be done to it. */
import pino from 'pino';
import { createClient } from '@redis/client';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../src/lib/server/db/connect';
import { createRelay } from '../../src/lib/server/relay/relay';
import { createRedisChannel } from '../../src/lib/server/relay/redis';
import { toKey } from '../../src/lib/server/relay/redis-relay';
import { startInstance } from '../../src/lib/server/stream/hub';
import { startRedis } from '../setup/redis';
import type { RelayParts } from './inflict';
import { startFaultyProxy } from './proxy';

const SCHEMA = 'nowboard';
const READY_MS = 60_000;

export async function startRelayParts(
	instances: number,
	databaseUrl: string,
	cleanUp: (() => unknown)[],
): Promise<RelayParts> {
	const redis = await startRedis();
	cleanUp.push(redis.drop);
	const proxies = await Promise.all(
		Array.from({ length: instances }, () => startFaultyProxy(() => redis.port)),
	);
	cleanUp.push(() => proxies.forEach((proxy) => proxy.close()));
	const url = `redis://127.0.0.1:${redis.port}`;
	const key = toKey(databaseUrl, SCHEMA);
	return {
		...{ redis, proxies },
		readToo: (ms) => readToo(url, key, databaseUrl, ms),
		async repeat() {
			const client = createClient({ url, RESP: 2 });
			client.on('error', () => {});
			await client.connect();
			try {
				const all = (await client.xRange(key, '-', '+')) ?? [];
				// every third first, then the others, from the end
				const mixed = [...all.filter((_, i) => i % 3 === 0), ...all.reverse()];
				await Promise.all(mixed.map(({ message }) => client.xAdd(key, '*', message)));
			} finally {
				client.destroy();
			}
		},
	};
}

/** As a process that was paused past its lock, and goes on as if it still held it. */
async function readToo(url: string, key: string, databaseUrl: string, ms: number): Promise<void> {
	const log = pino({ level: 'silent' });
	const one = () => connect(databaseUrl, { max: 1, applicationName: 'faults reader' });
	const sql = one();
	const instance = startInstance({
		...{ connect: one, sql, log },
		prepare: async () => {},
		relay: createRelay({
			...{ role: 'all', log },
			channel: createRedisChannel({ url, key }),
			lock: { held: () => true, ask: async () => true, release() {}, stop: async () => {} },
		}),
	});
	const begun = performance.now();
	while (instance.missing().length > 0 && performance.now() - begun < READY_MS) await pause(50);
	await pause(ms);
	await instance.stop();
	await sql.end({ timeout: 0 });
}
