import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import fc from '../../../../tests/setup/fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../../tests/setup/database';
import { startServer } from '../../../../tests/setup/private-server';
import { connect, type Sql } from '../db/connect';
import { parseEvents, type InputEvent } from './parse-events';
import { createIngest, type Ingest, type IngestBounds } from './group-commit';
import { RefusedError } from './submission';
import { UnavailableError } from '../db/errors';

const event = (name: string, more: Partial<InputEvent> = {}): InputEvent => ({
	eventId: null,
	name,
	source: 'api',
	sessionId: null,
	userId: null,
	properties: {},
	context: null,
	createdAt: null,
	...more,
});
/** The CHECK on the size of properties refuses it; validation would have, so it comes past it here. */
const poison = () => event('poison', { properties: { text: 'x'.repeat(20_000) } });

const quiet = { info: () => {}, warn: () => {} };
const open: Ingest[] = [];
function start(url: string, bounds: Partial<IngestBounds> = {}, log = quiet): Ingest {
	const ingest = createIngest({ connect: () => connect(url, { max: 1 }), log, bounds });
	open.push(ingest);
	return ingest;
}
afterEach(async () => {
	await Promise.all(open.splice(0).map((ingest) => ingest.close()));
});

/** "accepted/duplicates", or the name of the error. */
const outcome = (receipt: ReturnType<Ingest['submit']>) =>
	receipt.then(
		({ accepted, duplicates }) => `${accepted}/${duplicates}`,
		(error: Error) => error.name,
	);

describe('on a database', () => {
	let database: TestDatabase;
	let sql: Sql;
	/** another connection, for transactions that are held open */
	let other: Sql;
	beforeEach(async () => {
		database = await createDatabase();
		sql = database.sql;
		other = connect(database.url, { max: 1 });
	});
	afterEach(async () => {
		await other.end({ timeout: 1 });
		await database.drop();
	});
	const names = async () =>
		(await sql<{ name: string }[]>`SELECT name FROM nowboard.events ORDER BY id`).map(
			({ name }) => name,
		);
	const backendsWaitingForALock = async () =>
		(
			await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		).length;
	const waiting = (count: number) =>
		vi.waitFor(async () => expect(await backendsWaitingForALock()).toBe(count), {
			timeout: 5_000,
			interval: 5,
		});

	test('what is acknowledged is visible to another connection, at that moment', async () => {
		const ingest = start(database.url);
		for (let i = 0; i < 50; i++) {
			const eventId = randomUUID();
			await ingest.submit([event('seen', { eventId })]);
			expect(
				await other`SELECT name FROM nowboard.events WHERE event_id = ${eventId}`,
			).toHaveLength(1);
		}
	});

	test('every column arrives, in the order of arrival, with times no later than the clock of the database', async () => {
		const ingest = start(database.url);
		const properties = { text: '"\\ \u2028 🦊 \u007f', list: [1, { '': null }], __proto: -0.5 };
		const [eventId, createdAt] = [
			'ffffffff-0000-4000-8000-000000000000',
			'2026-01-01T00:00:00.123Z',
		];
		await ingest.submit([
			event('first', { eventId, source: 'web', sessionId: "s'1", properties, createdAt }),
			event('second', { eventId: '00000000-0000-4000-8000-000000000000' }),
			event('ahead', { createdAt: new Date(Date.now() + 60_000).toISOString() }),
		]);
		const rows = await sql<{ createdAt: string }[]>`
			SELECT event_id AS "eventId", name, source, session_id AS "sessionId", properties,
				to_json(created_at AT TIME ZONE 'UTC') #>> '{}' AS "createdAt", created_at <= clock_timestamp() AS past
			FROM nowboard.events ORDER BY id`;
		expect(rows).toMatchObject([
			{
				eventId,
				name: 'first',
				source: 'web',
				sessionId: "s'1",
				properties,
				createdAt: '2026-01-01T00:00:00.123',
				past: true,
			},
			{ name: 'second', source: 'api', sessionId: null, properties: {}, past: true },
			{ name: 'ahead', past: true },
		]);
	});

	test('what validation accepts the table takes: 2,000 generated events', async () => {
		const text = (maxLength: number) => fc.string({ unit: 'binary', minLength: 1, maxLength });
		const numbers = fc.array(fc.double(), { maxLength: 70 });
		const input = fc.record(
			{
				name: text(120),
				source: text(120),
				sessionId: text(200),
				eventId: fc.uuid(),
				properties: fc.dictionary(text(20), fc.oneof(fc.jsonValue(), text(2_000), numbers)),
				timestamp: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
			},
			{ requiredKeys: ['name'] },
		);
		const accepted = fc
			.sample(input, { numRuns: 2_000, seed: 7 })
			.map((body) => parseEvents(body, Date.now()))
			.flatMap((parsed) => (parsed.ok ? parsed.events : []));
		expect(accepted.length).toBeGreaterThan(500);
		const warnings: unknown[] = [];
		const log = { info: () => {}, warn: (details: unknown) => void warnings.push(details) };
		const ingest = start(database.url, {}, log as typeof quiet);
		const outcomes = await Promise.all(accepted.map((one) => outcome(ingest.submit([one]))));
		expect(outcomes.filter((one) => one !== '1/0')).toEqual([]);
		expect(warnings).toEqual([]);
	});

	describe('an event id counts once', () => {
		const a = randomUUID();
		const [b, c] = [randomUUID(), randomUUID()];
		const twice = (...ids: string[]) => ids.map((eventId) => event('e', { eventId }));

		test('when it comes twice in one request', async () => {
			const ingest = start(database.url);
			expect(await outcome(ingest.submit(twice(a, b, a, a)))).toBe('2/2');
		});

		test('when it comes in two requests of one group: the first counts', async () => {
			const ingest = start(database.url);
			const both = [
				ingest.submit(twice(a, b)),
				ingest.submit(twice(b, c, c)),
				ingest.submit(twice(a)),
			];
			expect(await Promise.all(both.map(outcome))).toEqual(['2/0', '1/2', '0/1']);
			expect(ingest.stats()).toMatchObject({ groups: 1, rows: 3 });
		});

		test('when it is in the table already, also from another instance or SQL', async () => {
			await sql`INSERT INTO nowboard.events (event_id, name) VALUES (${a}, 'sql')`;
			const [one, two] = [start(database.url), start(database.url)];
			expect(await outcome(one.submit(twice(a, b)))).toBe('1/1');
			expect(await outcome(two.submit(twice(b, c)))).toBe('1/1');
			expect(await names()).toEqual(['sql', 'e', 'e']);
		});

		test('when many requests bring it at once, on two instances', async () => {
			const instances = [start(database.url), start(database.url)];
			const outcomes = await Promise.all(
				Array.from({ length: 60 }, (_, i) => outcome(instances[i % 2]!.submit(twice(a)))),
			);
			expect(outcomes.filter((one) => one === '1/0')).toHaveLength(1);
			expect(outcomes.filter((one) => one === '0/1')).toHaveLength(59);
		});
	});

	describe('a group', () => {
		test('64 requests at once share a few transactions; one by one each has its own', async () => {
			const ingest = start(database.url);
			const many = (count: number) => Array.from({ length: count }, (_, i) => event(`e${i}`));
			await Promise.all(many(64).map((one) => ingest.submit([one])));
			const transactions = async () =>
				Number((await sql`SELECT count(DISTINCT tx) FROM nowboard.events`)[0]?.count);
			const grouped = await transactions();
			expect(grouped).toBeLessThanOrEqual(4);
			expect(await names()).toEqual(many(64).map(({ name }) => name));
			// the control: without company every request is a transaction, so the figure above is the grouping's
			for (const one of many(10)) await ingest.submit([one]);
			expect((await transactions()) - grouped).toBe(10);
		});

		test('holds a bounded number of rows', async () => {
			const ingest = start(database.url, { groupRows: 10, lanes: 1 });
			const batch = (length: number) => Array.from({ length }, () => event('e'));
			await Promise.all([4, 4, 4, 25, 1, 1].map((length) => ingest.submit(batch(length))));
			const sizes = await sql`SELECT count(*)::int FROM nowboard.events GROUP BY tx ORDER BY tx`;
			expect(sizes.map(({ count }) => count as number)).toEqual([8, 4, 25, 2]);
		});

		test('with a bad request saves the others, and reports what the database said', async () => {
			const warnings: string[] = [];
			const log = { info: () => {}, warn: (_: object, text: string) => void warnings.push(text) };
			const ingest = start(database.url, {}, log as typeof quiet);
			const eventId = randomUUID();
			const requests = [
				ingest.submit([event('a')]),
				ingest.submit([event('never'), poison(), event('never', { eventId })]),
				ingest.submit([event('b', { eventId })]),
			];
			expect(await Promise.all(requests.map(outcome))).toEqual(['1/0', 'RefusedError', '1/0']);
			expect(await names()).toEqual(['a', 'b']);
			await expect(requests[1]).rejects.toThrow(
				'violates check constraint "events_properties_size"',
			);
			await expect(requests[1]).rejects.toMatchObject({ constraint: 'events_properties_size' });
			expect(warnings).toEqual(['a group goes request by request']);
		});

		test('control: one statement for a poisoned group, without the retry, loses the neighbours', async () => {
			await expect(
				sql`INSERT INTO nowboard.events (name, properties) VALUES ('a', '{}'), ('poison', ${sql.json({ text: 'x'.repeat(20_000) })})`,
			).rejects.toThrow('events_properties_size');
			expect(await names()).toEqual([]);
		});

		test('is not held up by an open transaction that holds one of its event ids', async () => {
			const ingest = start(database.url, { lockTimeoutMs: 100 });
			const eventId = randomUUID();
			await other`BEGIN`;
			await other`INSERT INTO nowboard.events (event_id, name) VALUES (${eventId}, 'held')`;
			const requests = [
				ingest.submit([event('a')]),
				ingest.submit([event('stuck', { eventId })]),
				ingest.submit([event('b')]),
			];
			expect(await Promise.all(requests.map(outcome))).toEqual(['1/0', 'UnavailableError', '1/0']);
			expect(await names()).toEqual(['a', 'b']);
			await other`ROLLBACK`;
			expect(await outcome(ingest.submit([event('again', { eventId })]))).toBe('1/0');
		});

		test('leaves no lock_timeout behind on a connection that others may use', async () => {
			const client = connect(database.url, { max: 1 });
			const ingest = createIngest({ connect: () => client, log: quiet, bounds: { lanes: 1 } });
			await ingest.submit([event('a')]);
			expect(await client`SHOW lock_timeout`).toEqual([{ lock_timeout: '0' }]);
			await ingest.close();
		});

		test('control: without a lock timeout such a statement waits as long as the transaction is open', async () => {
			const eventId = randomUUID();
			await other`BEGIN`;
			await other`INSERT INTO nowboard.events (event_id, name) VALUES (${eventId}, 'held')`;
			let settled = false;
			const stuck =
				sql`INSERT INTO nowboard.events (event_id, name) VALUES (${eventId}, 'stuck') ON CONFLICT DO NOTHING`
					.execute()
					.finally(() => (settled = true));
			await waiting(1);
			expect(settled).toBe(false);
			await other`COMMIT`;
			await stuck;
		});

		test('on a table that is locked as a whole answers everyone in time', async () => {
			const ingest = start(database.url, { lockTimeoutMs: 50, waitMs: 300 });
			await other`BEGIN`;
			await other`LOCK TABLE nowboard.events IN SHARE MODE`;
			const begun = performance.now();
			const requests = Array.from({ length: 40 }, (_, i) => ingest.submit([event(`e${i}`)]));
			expect(new Set(await Promise.all(requests.map(outcome)))).toEqual(
				new Set(['UnavailableError']),
			);
			expect(performance.now() - begun).toBeLessThan(20_000);
			await other`ROLLBACK`;
			expect(await outcome(ingest.submit([event('after')]))).toBe('1/0');
			expect(await names()).toEqual(['after']);
		});
	});

	describe('event ids in opposite orders', () => {
		const low = '00000000-0000-4000-8000-000000000001';
		const high = 'ffffffff-0000-4000-8000-000000000001';

		test('do not deadlock: both groups take them in the same order', async () => {
			const ids = Array.from({ length: 200 }, () => randomUUID());
			const [one, two] = [
				start(database.url, { lockTimeoutMs: 4_000 }),
				start(database.url, { lockTimeoutMs: 4_000 }),
			];
			const logged = async () =>
				Number(
					(await sql`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)[0]
						?.deadlocks,
				);
			const before = await logged();
			for (let round = 0; round < 10; round++) {
				const fresh = ids.map(() => event('e', { eventId: randomUUID() }));
				await Promise.all([one.submit(fresh), two.submit(fresh.toReversed())]);
			}
			await sql`SELECT pg_stat_force_next_flush()`;
			expect(await logged()).toBe(before);
			expect(await names()).toHaveLength(2_000);
		});

		test('control: two transactions that take them in opposite orders do deadlock', async () => {
			const [first, second] = [other, connect(database.url, { max: 1 })];
			const insert = (client: Sql, eventId: string) =>
				client`INSERT INTO nowboard.events (event_id, name) VALUES (${eventId}, 'e') ON CONFLICT (event_id) DO NOTHING`.execute();
			await Promise.all([first`BEGIN`, second`BEGIN`]);
			await Promise.all([insert(first, low), insert(second, high)]);
			const crossed = await Promise.allSettled([insert(first, high), insert(second, low)]);
			expect(
				crossed
					.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'ok'))
					.sort(),
			).toEqual(['40P01', 'ok']);
			await Promise.all([first`ROLLBACK`, second`ROLLBACK`]);
			await second.end();
		});

		test('a deadlock with a foreign transaction is survived: the group is tried again with the same ids', async () => {
			// the one that checks for deadlocks first is the one that is cancelled: the ingest
			await other`SET deadlock_timeout = '20s'`;
			const ingest = start(database.url, { lockTimeoutMs: 4_000, waitMs: 10_000 });
			await other`BEGIN`;
			await other`INSERT INTO nowboard.events (event_id, name) VALUES (${high}, 'foreign')`;
			const requests = [
				ingest.submit([event('low', { eventId: low })]),
				ingest.submit([event('high', { eventId: high })]),
			];
			await waiting(1);
			await other`INSERT INTO nowboard.events (event_id, name) VALUES (${low}, 'foreign') ON CONFLICT DO NOTHING`;
			await other`COMMIT`;
			// the first request with `low` after the deadlock has it
			const wasFirst = (await names()).includes('low');
			expect(await Promise.all(requests.map(outcome))).toEqual([wasFirst ? '1/0' : '0/1', '0/1']);
			expect(await names()).toHaveLength(2);
		});
	});

	describe('bounds', () => {
		test('more rows than it may hold are turned away at once, and taken again when there is room', async () => {
			const ingest = start(database.url, { heldRows: 5, lockTimeoutMs: 4_000, waitMs: 4_000 });
			await other`BEGIN`;
			await other`LOCK TABLE nowboard.events IN SHARE MODE`;
			const held = ingest.submit([event('a'), event('b'), event('c')]);
			await waiting(1);
			await expect(ingest.submit([event('x'), event('y'), event('z')])).rejects.toThrow(
				'3 events are waiting to be saved: the queue is full.',
			);
			const small = ingest.submit([event('d')]);
			expect(ingest.stats()).toMatchObject({ heldRows: 4 });
			await other`ROLLBACK`;
			expect(await Promise.all([held, small].map(outcome))).toEqual(['3/0', '1/0']);
			expect(ingest.stats()).toMatchObject({ heldRows: 0, heldBytes: 0 });
			expect(await outcome(ingest.submit([event('x'), event('y'), event('z')]))).toBe('3/0');
		});

		test('so are more bytes', async () => {
			const ingest = start(database.url, { heldBytes: 5_000, lockTimeoutMs: 4_000, waitMs: 4_000 });
			await other`BEGIN`;
			await other`LOCK TABLE nowboard.events IN SHARE MODE`;
			const big = { properties: { text: 'x'.repeat(6_000) } };
			const held = ingest.submit([event('a', big)]);
			await expect(ingest.submit([event('b')])).rejects.toBeInstanceOf(UnavailableError);
			await other`ROLLBACK`;
			expect(await outcome(held)).toBe('1/0');
		});

		test('at most two groups are on their way', async () => {
			const ingest = start(database.url, { groupRows: 1, lockTimeoutMs: 4_000, waitMs: 4_000 });
			await other`BEGIN`;
			await other`LOCK TABLE nowboard.events IN SHARE MODE`;
			const requests = Array.from({ length: 6 }, (_, i) => ingest.submit([event(`e${i}`)]));
			await waiting(2);
			await other`ROLLBACK`;
			await Promise.all(requests);
			expect(ingest.stats()).toMatchObject({ groups: 6, rows: 6 });
		});
	});

	test('close answers what was submitted, then takes no more; a second close waits for the first', async () => {
		const ingest = start(database.url);
		const last = ingest.submit([event('last')]);
		const closed = [ingest.close(), ingest.close()];
		expect(await outcome(ingest.submit([event('late')]))).toBe('UnavailableError');
		await Promise.all(closed);
		expect(await outcome(last)).toBe('1/0');
		expect(await names()).toEqual(['last']);
		await vi.waitFor(async () => {
			const [row] = await sql`SELECT count(*)::int FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'nowboard'`;
			// `other` alone: it is a client of this test
			expect(row?.count).toBeLessThanOrEqual(1);
		});
	});

	test('a connection that is cut during the commit is tried again, and the events count once', async () => {
		const ingest = start(database.url, { lockTimeoutMs: 4_000, waitMs: 4_000 });
		await other`BEGIN`;
		await other`LOCK TABLE nowboard.events IN SHARE MODE`;
		const held = ingest.submit([event('a'), event('b', { eventId: randomUUID() })]);
		await waiting(1);
		await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`;
		await other`ROLLBACK`;
		expect(await outcome(held)).toBe('2/0');
		expect(await names()).toEqual(['a', 'b']);
	});

	test('an attempt whose answer is lost after its commit is repeated with the same ids: nothing counts twice', async () => {
		let attempts = 0;
		/** commits like any other, but the first answer never arrives */
		function forgetful(): Sql {
			const client = connect(database.url, { max: 1 });
			const unsafe = (text: string) => ({
				simple: async () => {
					const result = await client.unsafe(text).simple();
					if (attempts++ > 0) return result;
					throw Object.assign(new Error('lost'), { code: 'CONNECTION_CLOSED' });
				},
			});
			return { unsafe, schema: client.schema, end: () => client.end() } as unknown as Sql;
		}
		const ingest = createIngest({ connect: forgetful, log: quiet });
		open.push(ingest);
		const requests = [
			ingest.submit([event('ours')]),
			ingest.submit([event('theirs', { eventId: randomUUID() })]),
		];
		// the row of the client's own id might have been there before: it is called a duplicate
		expect(await Promise.all(requests.map(outcome))).toEqual(['1/0', '0/1']);
		expect(attempts).toBe(2);
		expect(await names()).toEqual(['ours', 'theirs']);
	});
});

test('a database that swallows everything is given up at the deadline', async () => {
	const sockets: Socket[] = [];
	const hole = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
	await once(hole, 'listening');
	const { port } = hole.address() as { port: number };
	const ingest = start(`postgres://none@127.0.0.1:${port}/none`, {
		deadlineMs: 200,
		waitMs: 300,
	});
	const begun = performance.now();
	const requests = [ingest.submit([event('a')]), ingest.submit([event('b')])];
	expect(await Promise.all(requests.map(outcome))).toEqual([
		'UnavailableError',
		'UnavailableError',
	]);
	expect(performance.now() - begun).toBeLessThan(15_000);
	await ingest.close();
	for (const socket of sockets) socket.destroy();
	hole.close();
});

describe('while Postgres is away', () => {
	let server: Awaited<ReturnType<typeof startServer>>;
	beforeAll(async () => {
		server = await startServer();
	});
	afterAll(() => server.drop());

	test('requests wait briefly and are told so; when it is back they are served; nothing acknowledged is lost', async () => {
		const said: string[] = [];
		const say = (_: object | string, text?: string) => void said.push(text ?? String(_));
		const ingest = start(server.url, { waitMs: 1_000 }, { info: say, warn: say } as typeof quiet);
		expect(await outcome(ingest.submit([event('before')]))).toBe('1/0');

		await server.stop();
		const begun = performance.now();
		expect(await outcome(ingest.submit([event('lost')]))).toBe('UnavailableError');
		const waited = performance.now() - begun;
		expect(waited).toBeGreaterThan(500);
		expect(waited).toBeLessThan(25_000);

		await server.start();
		expect(await outcome(ingest.submit([event('after')]))).toBe('1/0');
		const sql = connect(server.url, { max: 1 });
		expect(
			(await sql`SELECT name FROM nowboard.events ORDER BY id`).map(({ name }) => name as string),
		).toEqual(['before', 'after']);
		await sql.end();
		expect(said).toEqual(['events cannot be saved now; requests wait', 'events are saved again']);
	});

	test('a request that waits is served when Postgres comes back in time', async () => {
		const ingest = start(server.url, { waitMs: 20_000 });
		await server.stop('immediate');
		const waits = ingest.submit([event('patient')]);
		await server.start();
		expect(await outcome(waits)).toBe('1/0');
	});

	test('every acknowledged event survives crashes under load, and each counts once', async () => {
		const ingest = start(server.url, { waitMs: 500, deadlineMs: 1_000 });
		const acknowledged = new Set<string>();
		let writing = true;
		/** as a careful client: the same id again after "unavailable", until it is confirmed */
		async function client() {
			while (writing) {
				const eventId = randomUUID();
				for (;;) {
					const answer = await outcome(ingest.submit([event('load', { eventId })]));
					if (answer === '1/0' || answer === '0/1') {
						acknowledged.add(eventId);
						break;
					}
					if (!writing) break;
				}
			}
		}
		const clients = Array.from({ length: 16 }, client);
		for (let crash = 0; crash < 2; crash++) {
			const enough = acknowledged.size + 200;
			await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(enough), {
				timeout: 15_000,
			});
			await server.stop('immediate');
			await server.start();
		}
		writing = false;
		await Promise.all(clients);
		const sql = connect(server.url, { max: 1 });
		const rows = await sql<
			{ event_id: string }[]
		>`SELECT event_id FROM nowboard.events WHERE name = 'load'`;
		await sql.end();
		const stored = new Set(rows.map((row) => row.event_id));
		expect(stored.size).toBe(rows.length);
		expect([...acknowledged].filter((eventId) => !stored.has(eventId))).toEqual([]);
	});
});

test('a refusal keeps the words of the database', () => {
	const cause = Object.assign(new Error('no'), { constraint_name: 'events_name_length' });
	expect(new RefusedError(cause)).toMatchObject({
		message: 'no',
		constraint: 'events_name_length',
	});
	expect(new RefusedError('odd')).toMatchObject({ message: 'odd', constraint: null });
});
