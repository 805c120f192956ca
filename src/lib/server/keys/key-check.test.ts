import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../../scripts/process/ports';
import { createDatabase, type TestDatabase } from '../../../../tests/setup/database';
import { startTcpProxy } from '../../../../tests/setup/tcp-proxy';
import { connect, type Sql } from '../db/connect';
import { createKey, findKeys, hashKey, listKeys, revokeKey } from './key-store';
import { createKeyCheck, KEY_BOUNDS, type KeyCheck } from './key-check';
import type { NewKey } from './parse-new-key';

const SHOP: NewKey = { kind: 'public', source: 'shop', name: 'shop', origins: [] };
/** Well-formed, but unknown. */
const wrong = (n = 0) => `nb_pub_${String(n).padStart(43, '0')}`;

let database: TestDatabase;
let sql: Sql;
const open: KeyCheck[] = [];
beforeEach(async () => {
	database = await createDatabase();
	({ sql } = database);
});
afterEach(async () => {
	await Promise.all(open.splice(0).map((keys) => keys.close()));
	await database.drop();
});

/** Counts its statements; the log is lines. */
function start(options: Partial<Parameters<typeof createKeyCheck>[0]> & { url?: string } = {}) {
	const { url = database.url, ...rest } = options;
	const log: string[] = [];
	let statements = 0;
	const keys = createKeyCheck({
		connect: () =>
			new Proxy(connect(url, { max: 1 }), {
				get(client, name) {
					if (name === 'unsafe') statements++;
					return Reflect.get(client, name) as unknown;
				},
			}),
		log: {
			info: (...line: unknown[]) => void log.push(`info ${String(line.at(-1))}`),
			warn: (...line: unknown[]) => void log.push(`warn ${String(line.at(-1))}`),
		},
		...rest,
	});
	open.push(keys);
	return { keys, log, statements: () => statements };
}

/** The source of the key, "wrong", or the name of the error. */
const outcome = (answer: ReturnType<KeyCheck['check']>) =>
	answer.then(
		(key) => key?.source ?? 'wrong',
		(error: Error) => error.name,
	);

/** A key whose use needs no noting for a minute: nothing but checks is counted. */
async function makeNoted(input: NewKey = SHOP) {
	const made = await createKey(sql, input, 'command');
	await sql`UPDATE nowboard.ingest_keys SET last_used_at = clock_timestamp() WHERE id = ${made.id}`;
	return made;
}

const lockWaiters = async () =>
	(
		await sql<{ n: number }[]>`
			SELECT count(*)::int AS n FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`
	)[0]?.n;

test('a key that was good is known as such until an answer says that it is not', async () => {
	let time = 0;
	const { keys } = start({ now: () => time });
	const { key, id } = await createKey(sql, SHOP, 'command');
	expect(keys.knows(key)).toBe(false);
	await keys.check(key);
	await keys.check(wrong());
	time += 10 * KEY_BOUNDS.lifeMs;
	expect([keys.knows(key), keys.knows(wrong()), keys.knows('x')]).toEqual([true, false, false]);
	await revokeKey(sql, id, 'command');
	expect(await keys.check(key)).toBeNull();
	expect(keys.knows(key)).toBe(false);
});

test('a key is what was made and not revoked; nothing else is', async () => {
	const { keys } = start();
	const [good, revoked] = [
		await createKey(sql, SHOP, 'command'),
		await createKey(sql, SHOP, 'command'),
	];
	await revokeKey(sql, revoked.id, 'command');
	const asked = [
		good.key,
		revoked.key,
		wrong(),
		good.key.slice(0, -1),
		good.prefix,
		"' OR true --",
	];
	expect(await Promise.all(asked.map((key) => outcome(keys.check(key))))).toEqual([
		'shop',
		'wrong',
		'wrong',
		'wrong',
		'wrong',
		'wrong',
	]);
	const { id, prefix } = good;
	expect(await keys.check(good.key)).toEqual({ ...SHOP, id, prefix });
});

test('its use is noted, by one statement', async () => {
	const { keys, statements } = start();
	const { key } = await createKey(sql, SHOP, 'command');
	await keys.check(key);
	await expect.poll(async () => (await listKeys(sql))[0]?.lastUsedAt).toBeInstanceOf(Date);
	expect(statements()).toBe(2);
});

test('a crowd with one key is one query, and many keys that come while it runs are one more', async () => {
	const { keys, statements } = start();
	const { key } = await makeNoted();
	const crowd = Array.from({ length: 500 }, () => keys.check(key));
	await Promise.all(crowd);
	await keys.check(key);
	expect(statements()).toBe(1);

	const first = keys.check(wrong(0));
	await new Promise(setImmediate);
	const others = Array.from({ length: 500 }, (_, n) => keys.check(wrong(n)));
	expect(new Set(await Promise.all([first, ...others]))).toEqual(new Set([null]));
	expect(statements()).toBe(3);
});

test('(control) without a memory every request is a query', async () => {
	const { keys, statements } = start({ bounds: { lifeMs: 0 } });
	const { key } = await makeNoted();
	for (let n = 0; n < 10; n++) await keys.check(key);
	expect(statements()).toBe(10);
});

describe('a revoked key', () => {
	test('ends within 5 s, on every instance', async () => {
		let now = 0;
		const [here, there] = [start({ now: () => now }), start({ now: () => now })];
		const { key, id } = await createKey(sql, SHOP, 'command');
		const both = () => Promise.all([here, there].map(({ keys }) => outcome(keys.check(key))));
		expect(await both()).toEqual(['shop', 'shop']);
		await revokeKey(sql, id, 'command');
		now = KEY_BOUNDS.lifeMs;
		expect(await both()).toEqual(['wrong', 'wrong']);
	});

	/** What a check says of a key that is revoked once its answer has come, 4 s late. */
	async function checkLate(check: KeyCheck['check'], clock: { now: number }) {
		const { key, id } = await makeNoted();
		let answer: Promise<unknown> | undefined;
		await sql.begin(async (holding) => {
			await holding`LOCK TABLE nowboard.ingest_keys IN ACCESS EXCLUSIVE MODE`;
			answer = check(key);
			await expect.poll(lockWaiters).toBe(1);
			clock.now = 4_000;
		});
		expect(await answer).toMatchObject({ source: 'shop' });
		await revokeKey(sql, id, 'command');
		clock.now = KEY_BOUNDS.lifeMs;
		return outcome(check(key));
	}

	test('also when the answer about it took its time', async () => {
		const clock = { now: 0 };
		const { keys } = start({ now: () => clock.now });
		expect(await checkLate(keys.check, clock)).toBe('wrong');
	});

	test('(control) counted from the arrival of the answer, it does not', async () => {
		const clock = { now: 0 };
		const client = connect(database.url, { max: 1 });
		onTestFinished(() => client.end({ timeout: 1 }));
		await client`SELECT 1`;
		expect(
			await checkLate(
				createNaiveCheck(client, () => clock.now),
				clock,
			),
		).toBe('shop');
	});
});

/** Remembers for 5 s from when the answer came. */
function createNaiveCheck(client: Sql, now: () => number): KeyCheck['check'] {
	const remembered = new Map<
		string,
		{ answer: Awaited<ReturnType<KeyCheck['check']>>; at: number }
	>();
	return async (key) => {
		const entry = remembered.get(key);
		if (entry && now() - entry.at < KEY_BOUNDS.lifeMs) return entry.answer;
		const [found] = await findKeys(client, [hashKey(key)], 10_000);
		remembered.set(key, { answer: found ?? null, at: now() });
		return found ?? null;
	};
}

test('a key that was asked for before it was made works within 5 s', async () => {
	let now = 0;
	const { keys } = start({ now: () => now });
	const { key } = await createKey(sql, SHOP, 'command');
	await sql`UPDATE nowboard.ingest_keys SET hash = repeat('0', 64)`;
	expect(await outcome(keys.check(key))).toBe('wrong');
	await sql`UPDATE nowboard.ingest_keys SET hash = ${hashKey(key)}`;
	now = KEY_BOUNDS.lifeMs;
	expect(await outcome(keys.check(key))).toBe('shop');
});

test('what is remembered has a bound, and a flood of wrong keys forgets no good one', async () => {
	const { keys, statements } = start({ bounds: { remembered: 10 }, now: () => 0 });
	const { key } = await makeNoted();
	await keys.check(key);
	for (let n = 0; n < 11; n++) await keys.check(wrong(n));
	const after = statements();
	await keys.check(key);
	await keys.check(wrong(10));
	expect(statements() - after, 'remembered').toBe(0);
	await keys.check(wrong(0));
	expect(statements() - after, 'forgotten').toBe(1);
});

describe('a database that is away', () => {
	/** Refuses connections at once. */
	const nowhere = async () => {
		const url = new URL(database.url);
		url.port = String(await freePort());
		return url.href;
	};
	const mute = async () => {
		const proxy = await startTcpProxy(Number(new URL(database.url).port || 5432));
		onTestFinished(() => proxy.close());
		proxy.freeze();
		const url = new URL(database.url);
		url.hostname = '127.0.0.1';
		url.port = String(proxy.port);
		return { proxy, url: url.href };
	};

	test('says nothing about a key: not now, instead of wrong, and said once', async () => {
		const failures: string[] = [];
		const { keys, log } = start({
			url: await nowhere(),
			onFailed: () => failures.push('failed'),
			bounds: { waitMs: 300 },
		});
		const { key } = await createKey(sql, SHOP, 'command');
		const asked = [key, key, wrong(), 'no key at all'];
		expect(await Promise.all(asked.map((one) => outcome(keys.check(one))))).toEqual([
			'UnavailableError',
			'UnavailableError',
			'UnavailableError',
			'wrong',
		]);
		expect(log).toEqual(['warn keys cannot be checked now; requests wait']);
		expect(failures.length).toBeGreaterThan(0);
	});

	test('and does not answer at all: not now, in time', async () => {
		const { url, proxy } = await mute();
		const { keys, log } = start({ url, bounds: { waitMs: 300, deadlineMs: 200 } });
		const { key } = await createKey(sql, SHOP, 'command');
		const before = performance.now();
		expect(await outcome(keys.check(key))).toBe('UnavailableError');
		expect(performance.now() - before).toBeLessThan(20_000);
		// nothing of it is remembered
		proxy.thaw();
		await expect.poll(() => outcome(keys.check(key)), { timeout: 60_000 }).toBe('shop');
		expect(log).toEqual([
			'warn keys cannot be checked now; requests wait',
			'info keys are checked again',
		]);
	});

	test('for a moment is waited for', async () => {
		const { url, proxy } = await mute();
		let failed = 0;
		const { keys } = start({
			url,
			onFailed: () => failed++,
			bounds: { waitMs: 20_000, deadlineMs: 200 },
		});
		const { key } = await createKey(sql, SHOP, 'command');
		const answer = outcome(keys.check(key));
		await expect.poll(() => failed).toBeGreaterThan(0);
		proxy.thaw();
		expect(await answer).toBe('shop');
	});

	test('is asked about so many keys and no more', async () => {
		const { keys } = start({ url: await nowhere(), bounds: { asked: 2, waitMs: 300 } });
		const answers = [0, 1, 2, 1].map((n) => keys.check(wrong(n)).catch(String));
		expect(await answers[2]).toContain('2 keys are waiting to be checked: the queue is full.');
		expect(await answers[3]).toContain('gave no answer about this key in time');
	});
});

test('closed, it answers what was asked, then nothing; twice is once', async () => {
	const { keys } = start();
	const { key } = await createKey(sql, SHOP, 'command');
	const asked = outcome(keys.check(key));
	await Promise.all([keys.close(), keys.close()]);
	expect([await asked, await outcome(keys.check(wrong()))]).toEqual(['shop', 'UnavailableError']);
});
