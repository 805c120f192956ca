/** What becomes of NOTIFY: half-open connections and poolers, on real sockets between the app and a real Postgres. */
import { expect, onTestFinished, test } from 'vitest';
import { follow } from '../setup/follow';
import { collectLog, startTestInstance, useDatabase } from '../setup/instances';
import { startTcpProxy, type Connection, type Passing } from '../setup/tcp-proxy';

async function useProxy(url: string, passing: Passing = {}) {
	const address = new URL(url);
	const proxy = await startTcpProxy(Number(address.port), passing);
	onTestFinished(proxy.close);
	address.port = String(proxy.port);
	return { proxy, url: address.href };
}

const isListener = ({ said }: Connection) => /listen "nowboard"/i.test(said);
const isDrain = ({ said }: Connection) => said.includes('pg_current_snapshot');

/** As a transaction pooler: LISTEN is accepted, and no NotificationResponse ("A") ever comes. Messages: type, length, content. */
function swallowNotifications(): NonNullable<Passing['toClient']> {
	const rests = new WeakMap<Connection, Buffer>();
	return (chunk, connection) => {
		let rest = Buffer.concat([rests.get(connection) ?? Buffer.alloc(0), chunk]);
		const passed: Buffer[] = [];
		while (rest.length >= 5 && rest.length >= 1 + rest.readUInt32BE(1)) {
			const end = 1 + rest.readUInt32BE(1);
			if (rest[0] !== 'A'.charCodeAt(0)) passed.push(rest.subarray(0, end));
			rest = rest.subarray(end);
		}
		rests.set(connection, rest);
		return Buffer.concat(passed);
	};
}

test('a pooler that accepts LISTEN and delivers nothing is recognised, and events still arrive', async () => {
	const { url, sql } = await useDatabase();
	const pooled = await useProxy(url, { toClient: swallowNotifications() });
	const { log, lines } = collectLog();
	const instance = await startTestInstance(pooled.url, { ready: false, log });
	const client = follow(instance);
	await expect
		.poll(() => lines.filter((line) => line.includes('DATABASE_DIRECT_URL')))
		.toHaveLength(1);
	await client.until(() => client.of('ping').at(-1)?.listener === 'deaf');
	await client.until(() => client.resets() === 1);
	for (const count of [1, 2, 3]) {
		await sql`insert into nowboard.events (name) values ('polled')`;
		await client.until(() => client.ids.length === count);
	}
	expect(client.resets()).toBe(1);

	// control: an answer to LISTEN proves nothing, it was given
	const direct = await startTestInstance(url, { ready: false });
	await expect.poll(() => direct.status().listener).toBe('up');
	expect(instance.status().listener).toBe('deaf');
}, 300_000);

test('a listener whose connection is half open is noticed, events come meanwhile, and it hears again', async () => {
	const { url, sql } = await useDatabase();
	const { proxy, url: through } = await useProxy(url);
	const instance = await startTestInstance(through);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	expect(proxy.freezeThose(isListener)).toBe(1);
	await sql`insert into nowboard.events (name) values ('not rung')`;
	await client.until(() => client.ids.length === 1);
	await client.until(() => client.of('ping').some(({ listener }) => listener === 'deaf'), 100_000);
	await sql`insert into nowboard.events (name) values ('polled, or rung')`;
	await client.until(() => client.ids.length === 2);
	await client.until(() => client.of('ping').at(-1)?.listener === 'up', 100_000);
	await sql`insert into nowboard.events (name) values ('rung')`;
	await client.until(() => client.ids.length === 3);
	expect([client.ids, client.resets()]).toEqual([[1, 2, 3], 1]);
}, 300_000);

test('a reading connection that is half open is given up within seconds: nothing is lost, nothing comes twice', async () => {
	const { url, sql } = await useDatabase();
	const { proxy, url: through } = await useProxy(url);
	const instance = await startTestInstance(through);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await sql`insert into nowboard.events (name) values ('before')`;
	await client.until(() => client.ids.length === 1);
	expect(proxy.freezeThose(isDrain)).toBeGreaterThan(0);
	await sql`insert into nowboard.events (name) values ('while half open')`;
	await client.until(() => client.ids.length === 2, 100_000);
	await client.until(() => client.of('ping').at(-1)?.database === 'up', 100_000);
	expect([client.ids, client.resets()]).toEqual([[1, 2], 1]);
}, 300_000);
