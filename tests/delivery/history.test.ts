/**
 * Another history under the same app: after a failover, a recovery, a restore the same address leads to a database that never
 * had what was shown, or hands its transaction ids out again. Real servers, each its own copy of one cluster.
 * The promise each time: clients get a reset, its state is what the table holds, and what is written then comes once.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { pipeline } from 'node:stream/promises';
import type { Readable, Writable } from 'node:stream';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { migrate } from '../../src/lib/server/migrations/migrate';
import type { Instance } from '../../src/lib/server/stream/hub';
import { parseCursor, type Cursor } from '../../src/lib/server/reader/cursor';
import { readUnseen } from '../../src/lib/server/reader/rows';
import { createCluster, type Cluster } from '../setup/cluster';
import { follow, type Follower } from '../setup/follow';
import { collectLog, startTestInstance, useDatabase, useOwnServer } from '../setup/instances';
import { startTcpProxy, type TcpProxy } from '../setup/tcp-proxy';

let template: Cluster;
beforeAll(async () => {
	template = await createCluster();
});
afterAll(() => template.drop());

async function useCopy(of: Cluster = template): Promise<Cluster> {
	const cluster = await of.copy();
	onTestFinished(cluster.drop);
	return cluster;
}

/** The address that the app knows; where it leads is up to the test. */
async function useAddress(port: number): Promise<TcpProxy> {
	const address = await startTcpProxy(port);
	onTestFinished(address.close);
	return address;
}

function useClient(url: string): Sql {
	const sql = connect(url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 0 }));
	return sql;
}

const insert = (sql: Sql, name: string) => sql`insert into nowboard.events (name) values (${name})`;
const namesIn = async (sql: Sql) =>
	(await sql`select name from nowboard.events order by tx desc, id desc`).map(
		({ name }) => name as string,
	);
const namesShown = (client: Follower) =>
	client
		.of('reset')
		.at(-1)
		?.events.map(({ name }) => name) ?? [];
const toCursor = (text: string | null): Cursor => {
	const parsed = parseCursor(text ?? '');
	if (!parsed.ok) throw new Error(parsed.reason);
	return parsed.cursor;
};

/** The promise: `client` was reset to what the table holds, `before` leads nowhere on any process, and the stream goes on. */
async function expectNewAccount(
	{ client, instance, before }: { client: Follower; instance: Instance; before: string | null },
	{ sql, url, resets = 2 }: { sql: Sql; url: string; resets?: number },
) {
	await client.until(() => client.resets() === resets, 100_000);
	expect(namesShown(client)).toEqual((await namesIn(sql)).slice(0, 50));
	expect(client.cursor()?.split('-')[0]).not.toBe(before?.split('-')[0]);
	const fresh = await startTestInstance(url);
	const returning = [follow(instance, before), follow(fresh, before)];
	for (const one of returning) await one.until(() => one.resets() === 1);
	const shown = client.ids.length;
	await insert(sql, 'after');
	for (const one of [client, ...returning])
		await one.until(() => one.of('activity').at(-1)?.events.at(-1)?.name === 'after');
	expect([client.ids.length - shown, client.resets()]).toEqual([1, resets]);
	expect(returning.map(({ ids }) => ids.length)).toEqual([1, 1]);
}

/** A primary and a standby that streams from it over `link`, and an address that leads to the primary. */
async function startPair() {
	const primary = await useCopy();
	const standby = await useCopy();
	await primary.start();
	const link = await useAddress(primary.port);
	const { username, password } = new URL(primary.url());
	standby.signal('standby');
	await standby.start({
		primary_conninfo: `host=127.0.0.1 port=${link.port} user=${username} password=${password}`,
	});
	return { primary, standby, link, address: await useAddress(primary.port) };
}

/** A role that may not see which cluster and timeline it is on, as with some hosted databases. */
async function hideIdentity(sql: Sql): Promise<void> {
	await sql.unsafe(`
		create role plain login password 'plain';
		grant usage on schema nowboard to plain;
		grant execute on all functions in schema nowboard to plain;
		grant all on all tables in schema nowboard to plain;
		grant usage on all sequences in schema nowboard to plain;
		alter function nowboard.nowboard_identity() owner to plain;
		revoke execute on function pg_control_system(), pg_walfile_name(pg_lsn) from public`);
}
const asPlain = (url: string) => url.replace(/\/\/[^@]*@/, '//plain:plain@');

describe('failover to a standby that lags', () => {
	test.each([
		['its timeline tells', false],
		['the server hides its timeline, its start tells', true],
	])(
		'%s',
		async (_, hidden) => {
			const { primary, standby, link, address } = await startPair();
			const toUrl = hidden ? asPlain : (url: string) => url;
			const [old, next] = [useClient(primary.url()), useClient(standby.url())];
			if (hidden) await hideIdentity(old);
			const url = toUrl(primary.url(address.port));
			const instance = await startTestInstance(url);
			const client = follow(instance);
			await client.until(() => client.resets() === 1);
			await insert(old, 'kept');
			await client.until(() => client.ids.length === 1);
			await expect.poll(() => namesIn(next), { timeout: 60_000 }).toEqual(['kept']);
			expect((await next`select nowboard.nowboard_identity() as it`)[0]?.it).toMatch(/\/standby\//);

			// the standby hears no more, and the primary goes on for a while
			link.freeze();
			for (let i = 0; i < 8; i++) await insert(old, `never replicated ${i}`);
			await client.until(() => client.ids.length === 9);
			const before = client.cursor();
			const { last } = toCursor(before);
			await primary.stop('immediate');
			await next`select pg_promote()`;
			// while no instance reads, the new history uses the same transaction ids for other rows, and passes the old position
			let newest = 0n;
			for (let i = 0; newest <= last; i++) {
				const [row] =
					await next`insert into nowboard.events (name) values (${`new ${i}`}) returning tx::text`;
				newest = BigInt(row?.tx as string);
			}
			const reused =
				await next`select from nowboard.events where name like 'new%' and tx <= ${last.toString()}`;
			expect(reused.length).toBeGreaterThan(0);
			// control: the old position takes them for seen
			const { rows } = await readUnseen(next, toCursor(before));
			const unseen = (await namesIn(next)).filter((name) => name.startsWith('new')).length;
			expect(rows.length).toBe(unseen - reused.length);

			address.point(standby.port);
			await expectNewAccount({ client, instance, before }, { sql: next, url });
			if (!hidden) return;
			expect((await useClient(url)`select nowboard.nowboard_identity() as it`)[0]?.it).toMatch(
				/^\?\/\?\//,
			);
		},
		120_000,
	);

	test('and not yet promoted: refused by name; the account goes on when the primary is back', async () => {
		const { primary, standby, address } = await startPair();
		const sql = useClient(primary.url());
		const { log, lines } = collectLog();
		const instance = await startTestInstance(primary.url(address.port), { log });
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		address.point(standby.port);
		await client.until(() => client.of('ping').at(-1)?.database === 'down', 100_000);
		await expect
			.poll(() => lines.filter((line) => line.includes('standby (in recovery)')).length)
			.toBeGreaterThan(0);
		await insert(sql, 'meanwhile');
		address.point(primary.port);
		await client.until(() => client.ids.length === 1, 100_000);
		expect(client.resets()).toBe(1);

		// a process that begins on a standby writes nothing, says why, and begins once it is promoted
		const started = collectLog();
		const late = await startTestInstance(standby.url(), {
			ready: false,
			log: started.log,
			prepare: async () => void (await migrate(standby.url())),
		});
		await expect
			.poll(() => started.lines.some((line) => line.includes('standby (in recovery)')), {
				timeout: 15_000,
			})
			.toBe(true);
		expect(late.missing()).toContain('database');
		await useClient(standby.url())`select pg_promote()`;
		await expect.poll(() => late.missing(), { timeout: 60_000 }).toEqual([]);
	}, 300_000);
});

test('a recovery to a point in time', async () => {
	const primary = await useCopy();
	const restored = await useCopy();
	await primary.start();
	const address = await useAddress(primary.port);
	const sql = useClient(primary.url());
	const url = primary.url(address.port);
	const instance = await startTestInstance(url);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await insert(sql, 'kept');
	await sql`select pg_create_restore_point('here')`;
	for (let i = 0; i < 5; i++) await insert(sql, `undone ${i}`);
	await client.until(() => client.ids.length === 6);
	const before = client.cursor();
	await primary.stop();
	restored.takeLogOf(primary);
	restored.signal('recovery');
	await restored.start({
		// all of the log is in place already: nothing is to be fetched
		restore_command: 'false',
		recovery_target_name: 'here',
		recovery_target_action: 'promote',
	});
	const now = useClient(restored.url());
	await expect
		.poll(async () => (await now`select pg_is_in_recovery() as is`)[0]?.is, { timeout: 60_000 })
		.toBe(false);
	expect(await namesIn(now)).toEqual(['kept']);
	for (let i = 0; i < 10; i++) await insert(now, `new ${i}`);
	address.point(restored.port);
	await expectNewAccount({ client, instance, before }, { sql: now, url });
}, 300_000);

test('an older copy of the files put back, without a recovery that would tell: the position is ahead of it', async () => {
	const primary = await useCopy();
	await primary.start();
	const address = await useAddress(primary.port);
	const sql = useClient(primary.url());
	const url = primary.url(address.port);
	const instance = await startTestInstance(url);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	for (let i = 0; i < 20; i++) await insert(sql, `undone ${i}`);
	await client.until(() => client.ids.length === 20);
	const before = client.cursor();
	await primary.stop();
	const older = await useCopy();
	await older.start();
	const now = useClient(older.url());
	await insert(now, 'other');
	address.point(older.port);
	await expectNewAccount({ client, instance, before }, { sql: now, url });
}, 300_000);

/** Moves the rows as pg_restore does: before there are triggers. */
async function restore(from: Sql, to: Sql): Promise<void> {
	for (const table of ['meta', 'events', 'deletions', 'metrics_snapshots']) {
		await to.begin(async (tx) => {
			await tx`set local session_replication_role = replica`;
			await tx`delete from nowboard.${tx(table)}`;
			const source = (await from`copy nowboard.${from(table)} to stdout`.readable()) as Readable;
			const target = (await tx`copy nowboard.${tx(table)} from stdin`.writable()) as Writable;
			await pipeline(source, target);
		});
	}
	await to`select setval('nowboard.events_id_seq', (select max(id) from nowboard.events))`;
}

const useOther = useOwnServer();

test('a dump restored into another cluster, whose transaction ids are far behind', async () => {
	const first = await useOther();
	const second = await useCopy();
	await second.start();
	const sql = useClient(second.url());
	// the ids of the first are far ahead, and it has deleted
	await first.sql.unsafe(
		`do $$ begin for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$`,
	);
	await insert(first.sql, 'deleted');
	for (let i = 0; i < 5; i++) await insert(first.sql, `restored ${i}`);
	await first.sql`delete from nowboard.events where name = 'deleted'`;
	await first.sql`update nowboard.deletions set recount = false`;
	const address = await useAddress(Number(new URL(first.url).port));
	const instance = await startTestInstance(withPort(first.url, address.port));
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await insert(first.sql, 'newest');
	await client.until(() => client.ids.length === 1);
	const before = client.cursor();

	// the new cluster is at an id that some row of the old one has
	const open = useClient(second.url());
	await open`begin`;
	await open`insert into nowboard.events (name) values ('own')`;
	const [{ tx } = { tx: '' }] = await open`select pg_current_xact_id()::text as tx`;
	await restore(first.sql, sql);
	await sql`update nowboard.events set tx = ${tx} where name = 'restored 0'`;
	// control: rows beyond every position of this cluster, and one in what will be a hole
	const [found] = await sql`
		select count(*) filter (where tx >= pg_snapshot_xmax(pg_current_snapshot()))::int as future,
			count(*) filter (where tx = ${tx})::int as colliding from nowboard.events`;
	expect(found).toEqual({ future: 5, colliding: 1 });

	const moved = await startTestInstance(second.url());
	const there = follow(moved, before);
	await there.until(() => there.resets() === 1);
	await insert(sql, 'before own');
	await there.until(() => there.ids.length === 1);
	await open`commit`;
	await there.until(() => there.ids.length === 2);
	await insert(sql, 'last');
	await there.until(() => there.ids.length === 3);
	const shown = there.of('activity').flatMap(({ events }) => events.map(({ name }) => name));
	expect([shown, there.resets()]).toEqual([['before own', 'own', 'last'], 1]);
	const foreign =
		await sql`select distinct tx::text from nowboard.events where name like 'restored%'`;
	expect([...foreign]).toEqual([{ tx: '0' }]);
	expect([...(await sql`select through from nowboard.deletions`)]).toEqual([]);
	expect(client.resets()).toBe(1);
}, 300_000);

function withPort(url: string, port: number): string {
	const changed = new URL(url);
	changed.port = String(port);
	return changed.href;
}

test('a dump restored in place: the same names, created again', async () => {
	const { url, sql } = await useDatabase();
	const dump = await useDatabase();
	const port = Number(new URL(url).port);
	const address = await useAddress(port);
	const instance = await startTestInstance(withPort(url, address.port));
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await insert(sql, 'kept');
	await client.until(() => client.ids.length === 1);
	await restore(sql, dump.sql);
	await insert(sql, 'undone');
	await client.until(() => client.ids.length === 2);
	const before = client.cursor();
	// no instance reads while it is put together
	address.point(await freePort());
	await sql.unsafe(`
		drop schema nowboard cascade`);
	await migrate(url);
	await restore(dump.sql, sql);
	address.point(port);
	await expectNewAccount({ client, instance, before }, { sql, url });
}, 300_000);
