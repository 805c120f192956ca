/**
 * The guarantee under fire, on a Postgres of its own that is crashed, and what a naive reader loses.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { startServer } from '../setup/private-server';
import { follow } from '../setup/follow';
import { startTestInstance, useDatabase } from '../setup/instances';

const WRITERS = 16;

/** One client's life: transactions with a pause before the commit, a third rolled back, until told to stop; errors of a crash are part of it. */
async function write(url: string, writer: number, going: () => boolean): Promise<void> {
	const sql = connect(url, { max: 1 });
	let random = writer + 1;
	const next = (below: number) => (random = (random * 48_271) % 2_147_483_647) % below;
	while (going()) {
		try {
			await sql`begin`;
			await sql`insert into nowboard.events (name, source) select 'w', ${`writer ${writer}`} from generate_series(1, ${1 + next(3)})`;
			await pause(next(10) === 0 ? next(1_500) : next(40));
			await (next(10) < 3 ? sql`rollback` : sql`commit`);
		} catch {
			await pause(20);
		}
	}
	await sql.end({ timeout: 1 });
}

/** @returns the id of the new row */
async function insert(sql: Sql): Promise<number> {
	const [row] = await sql<{ id: string }[]>`
		insert into nowboard.events (name) values ('one') returning id`;
	return Number(row?.id);
}

test('16 writers with delayed commits and rollbacks, and crashes of the server: each committed row once in the stream', async () => {
	const server = await startServer();
	onTestFinished(() => server.drop());
	const [one, two] = [await startTestInstance(server.url), await startTestInstance(server.url)];
	const clients = [follow(one), follow(one), follow(two)];
	await Promise.all(clients.map((client) => client.until(() => client.resets() === 1)));

	const [early, sql] = [connect(server.url, { max: 1 }), connect(server.url, { max: 1 })];
	onTestFinished(() => Promise.all([early.end({ timeout: 1 }), sql.end({ timeout: 1 })]).then());
	// id 1 commits after every client has seen id 2
	await early`begin`;
	const first = await insert(early);
	const second = await insert(sql);
	for (const client of clients) await client.until(() => client.ids.includes(second));
	await early`commit`;

	let going = true;
	const writers = Array.from({ length: WRITERS }, (_, i) => write(server.url, i, () => going));
	const count = async () =>
		(await sql<{ n: number }[]>`select count(*)::int as n from nowboard.events`.catch(() => []))[0]
			?.n ?? 0;
	for (let round = 1; round <= 3; round++) {
		await expect.poll(count).toBeGreaterThan(round * 150);
		if (round === 3) break;
		await server.stop('immediate');
		await server.start();
	}
	going = false;
	await Promise.all(writers);

	const rows = await sql<{ id: string }[]>`select id from nowboard.events order by id`;
	const committed = rows.map(({ id }) => Number(id));
	expect(committed).toContain(first);
	for (const client of clients) {
		await client.until(() => client.ids.length >= committed.length);
		expect([...client.ids].sort((a, b) => a - b)).toEqual(committed);
		expect([client.resets(), client.omitted()]).toEqual([1, 0]);
	}
}, 300_000);

test('(control) a reader of "id > last" loses what commits late', async () => {
	const { url, sql } = await useDatabase();
	const early = connect(url, { max: 1 });
	onTestFinished(() => early.end({ timeout: 1 }));
	let last = 0;
	const read = async () => {
		const rows = await sql<
			{ id: string }[]
		>`select id from nowboard.events where id > ${last} order by id`;
		const ids = rows.map(({ id }) => Number(id));
		last = ids.at(-1) ?? last;
		return ids;
	};
	await early`begin`;
	await insert(early);
	const second = await insert(sql);
	expect(await read()).toEqual([second]);
	await early`commit`;
	expect(await read()).toEqual([]);
});

test('transaction ids handed out again after a crash: a cursor cut at the newest delivered row misses none', async () => {
	const server = await startServer();
	onTestFinished(() => server.drop());
	const sql = connect(server.url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	// the log of what did not commit stays in memory until the crash
	await sql`alter system set wal_writer_delay = '10s'`;
	await sql`select pg_reload_conf()`;
	const instance = await startTestInstance(server.url);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	await sql`insert into nowboard.events (name) values ('before')`;
	await client.until(() => client.ids.length === 1);

	// transactions that leave no trace, and a snapshot taken after them
	let ghost = '';
	for (let i = 0; i < 40; i++) {
		await sql`begin`;
		ghost = (await sql`select pg_current_xact_id()::text as tx`)[0]?.tx as string;
		await sql`rollback`;
	}
	const uncut = (await sql`select pg_current_snapshot()::text as snapshot`)[0]?.snapshot as string;
	await server.stop('immediate');
	await server.start();

	const insert = () => sql`insert into nowboard.events (name) values ('after') returning tx::text`;
	let tx = '';
	await expect
		.poll(
			async () => {
				tx = ((await insert().catch(() => []))[0] as { tx?: string } | undefined)?.tx ?? '';
				return tx;
			},
			{ timeout: 60_000 },
		)
		.not.toBe('');
	// the ids were indeed used again, or this test would show nothing
	expect(BigInt(tx)).toBeLessThanOrEqual(BigInt(ghost));

	const rows = await sql<{ id: string; unseen: boolean }[]>`
		select id, not pg_visible_in_snapshot(tx, ${uncut}::pg_snapshot) as unseen from nowboard.events order by id`;
	await client.until(() => client.ids.length >= rows.length);
	expect(client.ids).toEqual(rows.map(({ id }) => Number(id)));
	expect(client.resets()).toBe(1);
	// control: to the snapshot as it was, the new rows are long seen
	const after = rows.slice(1);
	expect(after.length).toBeGreaterThan(0);
	expect(after.filter(({ unseen }) => unseen)).toEqual([]);
}, 300_000);
