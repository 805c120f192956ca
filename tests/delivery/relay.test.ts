/**
 * Several instances that share one reader. The channel between them is one of this process, which loses, repeats and reorders; the
 * lock is that of Postgres. Redis itself: tests/system/relay.system.ts.
 */
import { describe, expect, test } from 'vitest';
import pino from 'pino';
import { createRandom } from '../../scripts/visitors/random';
import { connect } from '../../src/lib/server/db/connect';
import { createReaderLock, type ReaderLock } from '../../src/lib/server/relay/lock';
import { createRelay, type Relay, type RelayRole } from '../../src/lib/server/relay/relay';
import type { Instance } from '../../src/lib/server/stream/hub';
import { follow } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';
import { createWire, type Wire } from '../setup/unreliable-channel';

const log = pino({ level: process.env.TEST_LOG ?? 'silent' });

function relayOf(wire: Wire, url: string, role: RelayRole = 'all', lock?: ReaderLock): Relay {
	return createRelay({
		...{ role, channel: wire.connect(), log },
		lock: lock ?? createReaderLock(() => connect(url, { max: 1 })),
	});
}
/** of a process that believes what is not true (any more) */
const believer: ReaderLock = {
	...{ held: () => true, ask: async () => true, release() {} },
	stop: async () => {},
};
const modes = (instances: Instance[]) => instances.map((one) => one.relay()?.mode).sort();

/** Waits until they share one reader. */
async function settle(instances: Instance[], expected: string[]) {
	await expect.poll(() => modes(instances)).toEqual(expected);
}

describe('one reads, the others take what it has read', () => {
	test('the same frames, without a query; a tick too; another one takes over when it ends', async () => {
		const { url, sql } = await useDatabase();
		const wire = createWire();
		const start = (role: RelayRole = 'all') =>
			startTestInstance(url, { relay: relayOf(wire, url, role) });
		const first = await start();
		await settle([first], ['reader']);
		const second = await start();
		const edge = await start('edge');
		const all = [first, second, edge];
		await settle(all, ['follower', 'follower', 'reader']);
		const clients = all.map((one) => follow(one));
		for (const client of clients) await client.until(() => client.resets() === 1);

		// a follower takes each of them without a gap
		const taken = second.relay()?.taken ?? 0;
		for (let i = 0; i < 5; i++) {
			await sql`insert into nowboard.events (name, source) values ('page_view', ${`s${i}`})`;
			for (const client of clients) await client.until(() => client.ids.length === i + 1);
		}
		const heads = all.map((one) => one.state().cursor);
		expect(new Set(heads).size).toBe(1);
		expect(second.relay()).toMatchObject({ gaps: 0, foreign: 0 });
		expect((second.relay()?.taken ?? 0) - taken).toBe(5);
		for (const client of clients) await client.until(() => client.of('metrics').length > 0);

		await first.stop();
		await settle([second, edge], ['follower', 'reader']);
		await sql`insert into nowboard.events (name) values ('after')`;
		for (const client of clients.slice(1)) {
			await client.until(() => client.ids.length === 6);
			expect([client.resets(), client.omitted()]).toEqual([1, 0]);
		}
	});

	test('a transaction larger than a message, and another history: each reads it for itself', async () => {
		const { url, sql } = await useDatabase();
		const wire = createWire();
		const first = await startTestInstance(url, { relay: relayOf(wire, url) });
		await settle([first], ['reader']);
		const edge = await startTestInstance(url, { relay: relayOf(wire, url, 'edge') });
		const client = follow(edge);
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name) select 'bulk' from generate_series(1, 12000)`;
		await expect.poll(() => edge.state().totals.eventsCount).toBe(12_000);
		expect(edge.relay()?.gaps).toBeGreaterThan(0);
		expect(client.ids.length + client.omitted()).toBe(12_000);

		await sql`truncate nowboard.events`;
		await sql`insert into nowboard.events (name) values ('new')`;
		await client.until(() => client.resets() === 2);
		await expect.poll(() => edge.state().totals.eventsCount).toBe(1);
		// messages of the history that has ended, and of no process
		for (const text of [...wire.passed.slice(0, 20), '{"by":"x"}', 'x']) wire.say(text);
		await sql`insert into nowboard.events (name) values ('newer')`;
		await expect.poll(() => edge.state().totals.eventsCount).toBe(2);
		expect(client.resets()).toBe(2);
	});
});

describe('whatever becomes of the messages', () => {
	test('lost, repeated, reordered, with two that read for all: each event once, no client is reset', async () => {
		const { url, sql } = await useDatabase();
		const wire = createWire();
		const random = createRandom(20_261_130);
		wire.treat = () => ({
			times: random() < 0.2 ? 0 : random() < 0.25 ? 2 : 1,
			late: random() < 0.2 ? Math.ceil(random() * 3) : 0,
		});
		const instances = [
			await startTestInstance(url, { relay: relayOf(wire, url, 'all', believer) }),
			await startTestInstance(url, { relay: relayOf(wire, url, 'all', believer) }),
			await startTestInstance(url, { relay: relayOf(wire, url) }),
			await startTestInstance(url, { relay: relayOf(wire, url, 'edge') }),
		];
		const clients = instances.map((one) => follow(one));
		for (const client of clients) await client.until(() => client.resets() === 1);

		const writers = Array.from({ length: 4 }, async (_, writer) => {
			const own = connect(url, { max: 1 });
			const mine = createRandom(writer);
			for (let i = 0; i < 60; i++) {
				await own`begin`;
				await own`insert into nowboard.events (name) select 'w' from generate_series(1, ${Math.ceil(mine() * 3)}::int)`;
				await own`select pg_sleep(${mine() * 0.02})`;
				await (mine() < 0.2 ? own`rollback` : own`commit`);
			}
			await own.end();
		});
		await Promise.all(writers);
		// one that all have but the edge, by reading it: what comes next does not fit
		wire.treat = () => ({ times: 0, late: 0 });
		await sql`insert into nowboard.events (name) values ('lost')`;
		for (const one of instances.slice(0, 3))
			await expect.poll(() => one.state().events[0]?.name).toBe('lost');
		// what they have said of it is handed on, and lost, in a turn of its own
		await new Promise(setImmediate);
		wire.treat = null;
		const ids = (await sql<{ id: string }[]>`select id from nowboard.events order by id`).map(
			({ id }) => Number(id),
		);
		for (const [i, client] of clients.entries()) {
			await client.until(() => new Set(client.ids).size >= ids.length);
			expect(
				[...client.ids].sort((a, b) => a - b),
				`client ${i}`,
			).toEqual(ids);
			expect([client.resets(), client.omitted()]).toEqual([1, 0]);
		}
		// on a sound channel messages fit again, each of them
		const follower = () => instances[3]?.relay();
		for (let i = 0; (follower()?.taken ?? 0) <= 10; i++) {
			const { taken = 0 } = follower() ?? {};
			await sql`insert into nowboard.events (name) values (${`after ${i}`})`;
			await expect.poll(() => follower()?.taken).toBeGreaterThan(taken);
		}
		expect(follower()?.gaps).toBeGreaterThan(0);
	});

	test('none: each reads for itself, an edge waits and says so; all come back', async () => {
		const { url, sql } = await useDatabase();
		const wire = createWire();
		const start = (role: RelayRole) => startTestInstance(url, { relay: relayOf(wire, url, role) });
		const all = [await start('all'), await start('all'), await start('edge')] as const;
		const [, second, edge] = all;
		await settle([...all], ['follower', 'follower', 'reader']);
		const clients = all.map((one) => follow(one));
		for (const client of clients) await client.until(() => client.resets() === 1);

		wire.isCut = true;
		await settle([...all], ['alone', 'alone', 'waiting']);
		await sql`insert into nowboard.events (name) values ('while cut')`;
		for (const client of clients.slice(0, 2)) await client.until(() => client.ids.length === 1);
		expect(edge.status()).toMatchObject({ database: 'down', reading: 'relay' });
		expect(edge.missing()).toEqual(['relay']);
		expect(second.missing()).toEqual([]);

		wire.isCut = false;
		await settle([...all], ['follower', 'follower', 'reader']);
		for (const client of clients) {
			await client.until(() => client.ids.length === 1);
			expect(client.resets()).toBe(1);
		}
		expect(edge.missing()).toEqual([]);
	});
});

test('the lock: one holds it; Postgres takes it from a session that is silent, or ended', async () => {
	const { url, sql } = await useDatabase();
	const [one, other] = [1, 2].map(() => createReaderLock(() => connect(url, { max: 1 }), '1s')) as [
		ReaderLock,
		ReaderLock,
	];
	expect([await one.ask(), await other.ask(), await one.ask()]).toEqual([true, false, true]);
	await sql`
		select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
			and database = (select oid from pg_database where datname = current_database())`;
	await expect.poll(other.ask).toBe(true);
	expect(await one.ask()).toBe(false);
	expect(one.held()).toBe(false);
	// it says nothing any more
	await expect.poll(one.ask).toBe(true);
	await Promise.all([one.stop(), other.stop()]);
});
