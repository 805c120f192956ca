import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { useDatabase } from '../../../../tests/setup/instances';
import { startTcpProxy } from '../../../../tests/setup/tcp-proxy';
import { connect } from '../db/connect';
import { SESSION_MS } from './viewer-rows';
import { createToken } from './viewer-token';
import { createViewers, FRESH_MS, type Viewers } from './viewers';

/** Each instance has a connection of its own. */
function start(
	url: string,
	options: { now?: () => number; watchMs?: number; freshMs?: number } = {},
): Viewers {
	const client = () => connect(url, { max: 1 });
	const viewers = createViewers({ connect: client, watchMs: 50, ...options });
	onTestFinished(() => viewers.stop());
	return viewers;
}

test('a session that began on one instance is known on every other; the table does not hold its token', async () => {
	const { url, sql } = await useDatabase();
	const [one, other] = [start(url), start(url)];
	const token = await one.begin();
	expect((await other.find(token))?.hash).toBe((await one.find(token))?.hash);
	expect(await other.find(`${token}x`)).toBeNull();
	const rows = await sql`select * from nowboard.sessions`;
	expect([rows.length, JSON.stringify(rows).includes(token)]).toEqual([1, false]);
});

test('an ended viewer ends at once here, and elsewhere at the next lookup', async () => {
	const { url } = await useDatabase();
	let time = Date.now();
	const [one, other] = [start(url), start(url, { now: () => time })];
	const token = await one.begin();
	await other.find(token);
	await one.end((await one.find(token))!);
	expect(await one.find(token)).toBeNull();
	time += FRESH_MS;
	expect(await other.find(token)).toBeNull();
});

test('streams of a session end with it, on every instance, and those of others go on', async () => {
	const { url } = await useDatabase();
	const [one, other] = [start(url), start(url)];
	const [token, kept] = [await one.begin(), await one.begin()];
	const follow = async (viewers: Viewers, token: string) =>
		viewers.follow((await viewers.find(token))!);
	const here = await follow(one, token);
	const there = await follow(other, token);
	const others = await follow(other, kept);
	await one.end((await one.find(token))!);
	expect(here.ended.aborted).toBe(true);
	await vi.waitFor(() => expect(there.ended.aborted).toBe(true), 5_000);
	expect(others.ended.aborted).toBe(false);
	await one.endAll();
	await vi.waitFor(() => expect(others.ended.aborted).toBe(true), 5_000);
	for (const one of [here, there, others]) one.leave();
});

test('who does not look any more is not asked about', async () => {
	const { url, sql } = await useDatabase();
	const viewers = start(url);
	const session = (await viewers.find(await viewers.begin()))!;
	const [first, second] = [viewers.follow(session), viewers.follow(session)];
	first.leave();
	first.leave();
	await sql`delete from nowboard.sessions`;
	await vi.waitFor(() => expect(second.ended.aborted).toBe(true), 5_000);
	expect(first.ended).toBe(second.ended);
});

test('a session lasts on while it is used, and ends when it is not', async () => {
	const { url, sql } = await useDatabase();
	let time = Date.now();
	const viewers = start(url, { now: () => time });
	const token = await viewers.begin();
	const age = async (ms: number) => {
		time += FRESH_MS;
		await sql`update nowboard.sessions set expires_at = expires_at - ${ms} * interval '1 ms'`;
	};
	await age(SESSION_MS - 60_000);
	expect((await viewers.find(token))?.expiresAt).toBeGreaterThan(time + SESSION_MS - 60_000);
	await age(SESSION_MS + 60_000);
	expect(await viewers.find(token)).toBeNull();
	// and the next login takes away what has expired
	await viewers.begin();
	expect((await sql`select * from nowboard.sessions`).length).toBe(1);
});

test('who has a stream open uses it: the session lasts on, and of a link it is written when, without another request', async () => {
	const { url, sql } = await useDatabase();
	const viewers = start(url);
	const link = createToken();
	await sql`insert into nowboard.share_links (hash, name) values (${link.hash}, 'screen')`;
	for (const token of [await viewers.begin(), link.token])
		viewers.follow((await viewers.find(token))!);
	await sql`update nowboard.sessions set expires_at = expires_at - interval '2 hours'`;
	await sql`update nowboard.share_links set last_used_at = now() - interval '2 hours'`;
	const lasts = async () => {
		const [row] = await sql<{ session: boolean; link: boolean }[]>`
			select (select expires_at from nowboard.sessions) > now() + ${SESSION_MS - 60_000} * interval '1 ms' as session,
				(select last_used_at from nowboard.share_links) > now() - interval '1 minute' as link`;
		return row;
	};
	await expect.poll(lasts, { timeout: 60_000 }).toEqual({ session: true, link: true });
});

describe('while the database is away', () => {
	/** With a proxy in front that is taken away. */
	async function startApart(options: Parameters<typeof start>[1] = {}) {
		const { url, sql } = await useDatabase();
		const proxy = await startTcpProxy(Number(new URL(url).port));
		const apart = new URL(url);
		apart.port = String(proxy.port);
		return { url, sql, viewers: start(apart.href, options), cut: () => proxy.close() };
	}

	test('known viewers go on; other tokens cannot be checked', async () => {
		let time = Date.now();
		const { viewers, cut } = await startApart({ now: () => time, watchMs: 60_000 });
		const token = await viewers.begin();
		await cut();
		time += FRESH_MS;
		expect(await viewers.find(token)).not.toBeNull();
		await expect(viewers.find('A'.repeat(43))).rejects.toThrow();
		// what can be no token needs no database to be refused
		expect(await viewers.find('an unknown token')).toBeNull();
	});

	test('a viewer ended elsewhere before the outage does not go on', async () => {
		const time = Date.now();
		const { url, viewers, cut } = await startApart({ now: () => time });
		const other = start(url);
		const [ended, kept] = [await other.begin(), await other.begin()];
		expect([await viewers.find(ended), await viewers.find(kept)]).not.toContain(null);
		await other.end((await other.find(ended))!);
		await expect.poll(() => viewers.knows(ended)).toBe(false);
		await cut();
		expect(await viewers.find(ended)).toBeNull();
		expect(await viewers.find(kept)).not.toBeNull();
	});

	test('a viewer is forgotten after a minute without requests', async () => {
		let time = Date.now();
		const { viewers, cut } = await startApart({ now: () => time });
		const [gone, watching] = [await viewers.begin(), await viewers.begin()];
		viewers.follow((await viewers.find(watching))!);
		time += 60_000;
		await expect.poll(() => viewers.knows(gone)).toBe(false);
		await cut();
		time += FRESH_MS;
		await expect(viewers.find(gone)).rejects.toThrow();
		expect(await viewers.find(watching)).not.toBeNull();
	});
});

test('a thousand unknown tokens at once take a few queries, and the watch goes on', async () => {
	const { url, sql } = await useDatabase();
	let queries = 0;
	const client = () =>
		new Proxy(connect(url, { max: 1 }), {
			apply(target, self, args) {
				queries++;
				return Reflect.apply(target, self, args) as unknown;
			},
		});
	const viewers = createViewers({ connect: client, watchMs: 50 });
	onTestFinished(() => viewers.stop());
	const { ended } = viewers.follow((await viewers.find(await viewers.begin()))!);
	queries = 0;
	const unknown = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(43, '0'));
	const found = await Promise.all(unknown.map((token) => viewers.find(token)));
	expect(found.filter(Boolean)).toEqual([]);
	expect(queries).toBeLessThan(10);
	await sql`delete from nowboard.sessions`;
	await vi.waitFor(() => expect(ended.aborted).toBe(true), 5_000);
});

test('a session is valid even when its last use cannot be written', async () => {
	const { url, sql } = await useDatabase();
	let time = Date.now();
	const viewers = start(url, { now: () => time });
	const token = await viewers.begin();
	await sql`update nowboard.sessions set expires_at = expires_at - interval '2 hours'`;
	await sql.unsafe(
		`alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`,
	);
	const other = start(url, { now: () => time });
	time += FRESH_MS;
	expect(await other.find(token)).not.toBeNull();
});
