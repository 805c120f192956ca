/**
 * DELETE, by retention or by hand: clients that have not seen the rows get a reset, clients that are up to date nothing, and
 * figures and feed never hold what the table does not. Deleters never wait for each other.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDrain } from '../../src/lib/server/reader/drain';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { readUnseen } from '../../src/lib/server/reader/rows';
import { parseCursor, type Cursor } from '../../src/lib/server/reader/cursor';
import { thinDeletions } from '../../src/lib/server/history/downsample';
import { COUNT_WINDOW_MS, FEED_LENGTH } from '../../src/lib/protocol';
import { follow } from '../setup/follow';
import { startTestInstance, useOwnServer } from '../setup/instances';
import { readStart } from '../../src/lib/server/live/read-start';

/** Transactions of one row each, too old for the figures. */
const insertOld = (sql: Sql, rows: number) =>
	sql.unsafe(`do $$ begin for i in 1..${rows} loop
		insert into nowboard.events (name, created_at) values ('old', now() - interval '2 hours'); commit;
	end loop; end $$`);
const left = async (sql: Sql) =>
	(await sql`select recount from nowboard.deletions order by id`).map(
		({ recount }) => recount as boolean,
	);
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const toCursor = (text: string | null): Cursor => {
	const parsed = parseCursor(text ?? '');
	if (!parsed.ok) throw new Error(parsed.reason);
	return parsed.cursor;
};
function useClient(url: string): Sql {
	const sql = connect(url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	return sql;
}
const useDatabase = useOwnServer();

describe('rows beyond the windows', () => {
	test('clients that have not seen them get a reset, others nothing', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const live = follow(instance);
		await live.until(() => live.resets() === 1);
		await insertOld(sql, 5);
		await live.until(() => live.ids.length === 5);
		const before = live.cursor();
		await insertOld(sql, 5);
		await live.until(() => live.ids.length === 10);
		const after = live.cursor();
		await insertOld(sql, FEED_LENGTH);
		await live.until(() => live.ids.length === 10 + FEED_LENGTH);
		await sql`delete from nowboard.events where id <= 10`;
		expect(await left(sql)).toEqual([false]);

		// a process that remembers nothing
		const fresh = await startTestInstance(url);
		const [behind, ahead] = [follow(fresh, before), follow(fresh, after)];
		await behind.until(() => behind.resets() === 1);
		await ahead.until(() => ahead.ids.length === FEED_LENGTH);
		expect([behind.ids, ahead.resets()]).toEqual([[], 0]);
		// from the memory of the first, what was delivered can be delivered again
		const remembered = follow(instance, before);
		await remembered.until(() => remembered.ids.length === 5 + FEED_LENGTH);
		await sql`insert into nowboard.events (name) values ('new')`;
		for (const client of [live, ahead, remembered, behind])
			await client.until(() => client.ids.includes(11 + FEED_LENGTH));
		expect([live.resets(), remembered.resets()]).toEqual([1, 0]);

		// control: the rows that the one behind has not seen, as they are in the table: five are missing, and nothing says so
		const { rows } = await readUnseen(sql, toCursor(before));
		expect(rows.map(({ id }) => Number(id))).toEqual(ids(11, 11 + FEED_LENGTH));
	});

	test('come and gone before they were read: a reset, and then calm', async () => {
		const { url, sql } = await useDatabase();
		await insertOld(sql, FEED_LENGTH);
		const instances = [await startTestInstance(url, { frameIntervalMs: 1_400 })];
		instances.push(await startTestInstance(url, { frameIntervalMs: 1_400 }));
		const clients = instances.map((instance) => follow(instance));
		for (const client of clients) await client.until(() => client.resets() === 1);
		// so many that both rest for a while
		await sql`insert into nowboard.events (name, created_at)
			select 'old', now() - interval '2 hours' from generate_series(1, 40)`;
		for (const client of clients) await client.until(() => client.ids.length === 40);
		// the row is not among the newest of the feed when it goes
		await insertOld(sql, 1 + FEED_LENGTH);
		await sql`delete from nowboard.events where id = ${FEED_LENGTH + 41}`;
		expect(await left(sql)).toEqual([false]);
		for (const client of clients) await client.until(() => client.resets() === 2);
		await sql`insert into nowboard.events (name) values ('after')`;
		for (const client of clients) await client.until(() => client.ids.length === 41);
		expect(clients.map((client) => client.resets())).toEqual([2, 2]);
	});

	test('a transaction deleted while it is read in pieces', async () => {
		const { url } = await useDatabase();
		const sql = useClient(url);
		await sql`insert into nowboard.events (name) values ('before')`;
		const { head, last } = await readStart(sql, { windowMs: 0 }, () => {});
		const from = { epoch: head.epoch as string, last, holes: [] };
		await sql`insert into nowboard.events (name, created_at) select 'large', now() - interval '2 hours' from generate_series(1, 5000)`;
		await insertOld(sql, FEED_LENGTH);
		let seen = 0;
		const drain = createDrain({
			from,
			visit(row) {
				// on the same connection, so it runs before the next piece is read
				if (++seen === 1)
					void sql`delete from nowboard.events where tx = ${row.tx.toString()}`.execute();
			},
			publish() {},
		});
		await expect(drain.run(sql)).rejects.toThrow(/were deleted, the cursor stands at/);
		expect(seen).toBeLessThan(5000);
		expect(await left(sql)).toEqual([false]);
	});
});

describe('rows on the screens', () => {
	test('of the last half hour: every instance counts again, and its figures are those of SQL', async () => {
		const { url, sql } = await useDatabase();
		const instances = [await startTestInstance(url), await startTestInstance(url)];
		const clients = instances.map((instance) => follow(instance));
		for (const client of clients) await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name, session_id) select 'page_view', 's' || i from generate_series(1, 100) i`;
		for (const client of clients) await client.until(() => client.ids.length === 100);
		const before = clients[0]?.cursor() ?? null;
		await sql`delete from nowboard.events where id <= 40`;
		const totals = { pageViews: 60, activeSessions: 60, eventsCount: 60 };
		for (const client of clients) await client.until(() => client.resets() === 2);
		for (const client of clients) expect(client.of('reset')[1]).toMatchObject({ totals });
		// an old cursor too, wherever it goes
		for (const instance of instances) {
			const old = follow(instance, before);
			await old.until(() => old.resets() === 1);
		}
		await sql`insert into nowboard.events (name) values ('after')`;
		for (const client of clients) await client.until(() => client.ids.length === 101);
		expect(clients.map((client) => client.resets())).toEqual([2, 2]);
	});

	test.each([
		['the oldest row of the feed', FEED_LENGTH, 0, true],
		['the row below it', FEED_LENGTH + 1, 0, false],
		['a row just inside the half hour', FEED_LENGTH + 1, COUNT_WINDOW_MS - 10_000, true],
		['a row just outside of it', FEED_LENGTH + 1, COUNT_WINDOW_MS + 1, false],
		['a row of the future', FEED_LENGTH + 1, -86_400_000, true],
	])('%s', async (_, place, ageMs, recount) => {
		const { sql } = await useDatabase();
		await insertOld(sql, FEED_LENGTH + 5);
		const [row] =
			await sql`select id from nowboard.events order by id desc offset ${place - 1} limit 1`;
		if (ageMs !== 0)
			await sql`update nowboard.events set created_at = clock_timestamp() - ${`${ageMs} ms`}::interval where id = ${row?.id}`;
		await sql`delete from nowboard.events where id = ${row?.id}`;
		expect(await left(sql)).toEqual([recount]);
	});
});

describe('a deleter', () => {
	test('in a long transaction delays no one; rolled back, nothing has happened', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name) select 'x' from generate_series(1, 10)`;
		await client.until(() => client.ids.length === 10);
		const [held, undone] = [useClient(url), useClient(url)];
		for (const one of [held, undone]) await one`begin isolation level repeatable read`;
		await held`delete from nowboard.events where id <= 2`;
		await undone`delete from nowboard.events where id between 3 and 4`;
		const quick = useClient(url);
		await quick`set lock_timeout = '2s'`;
		await quick`insert into nowboard.events (name) values ('not held up')`;
		await client.until(() => client.ids.length === 11);
		await undone`rollback`;
		expect([client.resets(), await left(sql)]).toEqual([1, []]);
		await quick`delete from nowboard.events where id between 5 and 6`;
		await client.until(() => client.of('reset').at(-1)?.totals.eventsCount === 9);
		await held`commit`;
		await client.until(() => client.of('reset').at(-1)?.totals.eventsCount === 7);
	});

	test('at the same time as others loses nothing of what the others leave, and only the newest is kept', async () => {
		const { url, sql } = await useDatabase();
		await insertOld(sql, 80 + FEED_LENGTH);
		const deleters = ids(0, 7).map(() => useClient(url));
		await Promise.all(
			deleters.map(async (one, i) => {
				for (const id of ids(i * 10 + 1, i * 10 + 10))
					await one`delete from nowboard.events where id = ${id}`;
			}),
		);
		const newest = () =>
			sql`select max(through::text::bigint)::int as newest from nowboard.deletions`;
		const [before] = await newest();
		const [{ first } = { first: 0 }] =
			await sql`select min(tx::text::bigint)::int as first from nowboard.events`;
		expect(first - before?.newest).toBe(1);
		expect(await thinDeletions(sql)).toBe(79);
		expect([...(await newest())]).toEqual([before]);
	});

	test('needs no other right than to delete; rows of one’s own transaction were seen by no one', async () => {
		const { url, sql } = await useDatabase();
		const role = `cleaner_${Date.now()}`;
		await sql.unsafe(
			`create role ${role}; grant usage on schema nowboard to ${role}; grant select, delete on nowboard.events to ${role}`,
		);
		onTestFinished(async () => void (await sql.unsafe(`drop owned by ${role}; drop role ${role}`)));
		await insertOld(sql, FEED_LENGTH + 1);
		const one = useClient(url);
		await one.unsafe(`set role ${role}; set search_path = ''`);
		await one`delete from nowboard.events where id = 1`;
		expect(await left(sql)).toEqual([false]);
		await sql.begin(async (tx) => {
			await tx`insert into nowboard.events (name) values ('never')`;
			await tx`delete from nowboard.events where name = 'never'`;
		});
		await sql`delete from nowboard.events where name = 'nothing'`;
		expect(await left(sql)).toEqual([false]);
	});
});
