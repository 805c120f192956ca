/** Old events are deleted in chunks, by one instance at a time. Viewers notice nothing; clients that missed the rows get a reset. */
import pino from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { follow } from '../../../../tests/setup/follow';
import {
	collectLog,
	startTestInstance,
	useDatabase,
	useOwnServer,
} from '../../../../tests/setup/instances';
import { FEED_LENGTH } from '../../protocol';
import type { Sql } from '../db/connect';
import { deleteChunk, deleteOld, oldQuery, startRetention } from './retention';
import { countAll } from './rollup';

const DAYS = 90;
const silent = pino({ level: 'silent' });

/** So many events of `age`, each a transaction's own chunk of rows. */
const insert = (sql: Sql, rows: number, age: string) =>
	sql`insert into nowboard.events (name, created_at) select 'x', now() - ${age}::interval - i * interval '1 ms'
		from generate_series(1, ${rows}::int) i`;
const ages = async (sql: Sql) =>
	(
		await sql`select (extract(epoch from now() - created_at) / 86400)::int as days from nowboard.events order by 1`
	).map(({ days }) => days as number);
const due = (sql: Sql) =>
	sql`update nowboard.retention_state set resume_at = clock_timestamp() - interval '1 s'`;

test('what is older than the days goes, what is younger stays, and it is written down', async () => {
	const { sql } = await useDatabase();
	for (const age of ['10 years', '91 days', '89 days', '0 days']) await insert(sql, 2, age);
	await countAll(sql);
	expect(await deleteOld(sql, DAYS)).toBe(4);
	expect(await ages(sql)).toEqual([0, 0, 89, 89]);
	const retention = startRetention({ sql, days: DAYS, log: silent });
	onTestFinished(() => retention.stop());
	const status = await retention.status();
	expect(status).toMatchObject({ days: DAYS, deleted: 4, deletedTotal: 4, error: null });
	expect(Date.parse(status.finishedAt ?? '')).toBeGreaterThan(
		Date.parse(status.startedAt ?? '') - 1,
	);
	const [oldest] = await sql`select min(created_at) as at from nowboard.events`;
	expect(status.oldestEventAt).toBe(oldest?.at.toISOString());
	// history has them still
	const [sum] =
		await sql`select sum(events)::int as events from nowboard.rollups where step = 900 and source = ''`;
	expect(sum).toEqual({ events: 8 });
});

test('a run is due ten minutes after the last', async () => {
	const { sql } = await useDatabase();
	await insert(sql, 3, '91 days');
	await countAll(sql);
	expect([await deleteOld(sql, DAYS), await deleteChunk(sql, DAYS)]).toEqual([3, null]);
	await insert(sql, 5, '91 days');
	await countAll(sql);
	expect(await deleteOld(sql, DAYS)).toBe(0);
	await due(sql);
	expect(await deleteOld(sql, DAYS)).toBe(5);
	expect([...(await sql`select deleted, deleted_total from nowboard.retention_state`)]).toEqual([
		{ deleted: '5', deleted_total: '8' },
	]);
});

test('0 days keep everything', async () => {
	const { sql } = await useDatabase();
	await insert(sql, 3, '10 years');
	await countAll(sql);
	const retention = startRetention({ sql, days: 0, log: silent, lookEveryMs: 1 });
	onTestFinished(() => retention.stop());
	await expect.poll(() => retention.status()).toMatchObject({ days: 0, startedAt: null });
	expect(await ages(sql)).toHaveLength(3);
});

test('what history has not counted is not deleted', async () => {
	const { sql } = await useDatabase();
	await countAll(sql);
	await insert(sql, 3, '91 days');
	expect(await deleteOld(sql, DAYS)).toBe(0);
	await countAll(sql);
	await due(sql);
	expect(await deleteOld(sql, DAYS)).toBe(3);
});

describe('in chunks', () => {
	test('oldest first; after a chunk every instance waits, and any of them resumes', async () => {
		const { sql } = await useDatabase();
		await insert(sql, 25, '91 days');
		await insert(sql, 25, '100 days');
		await countAll(sql);
		const [before] = await sql`select clock_timestamp()::text as at`;
		expect(await deleteChunk(sql, DAYS, 20)).toEqual({ deleted: 20, more: true });
		const [pause] =
			await sql`select resume_at >= ${before?.at}::timestamptz + interval '20 ms' as rests from nowboard.retention_state`;
		expect(pause).toEqual({ rests: true });
		// the pause is milliseconds; here it lasts until the test ends it
		await sql`update nowboard.retention_state set resume_at = clock_timestamp() + interval '1 hour'`;
		expect(await deleteChunk(sql, DAYS, 20)).toBeNull();
		await due(sql);
		expect((await ages(sql)).filter((days) => days === 100)).toHaveLength(5);
		expect(await deleteChunk(sql, DAYS, 20)).toMatchObject({ deleted: 20 });
		await due(sql);
		expect([...(await sql`select finished_at, deleted from nowboard.retention_state`)]).toEqual([
			{ finished_at: null, deleted: '40' },
		]);
		expect(await deleteChunk(sql, DAYS, 20)).toEqual({ deleted: 10, more: false });
		expect([
			...(await sql`select finished_at is not null as ended, deleted from nowboard.retention_state`),
		]).toEqual([{ ended: true, deleted: '50' }]);
	});

	test('several instances at once delete each row once', async () => {
		const { sql } = await useDatabase();
		await insert(sql, 3_500, '91 days');
		await countAll(sql);
		const deleted = await Promise.all([1, 2, 3].map(() => deleteOld(sql, DAYS)));
		expect(deleted.reduce((sum, one) => sum + one, 0)).toBe(3_500);
		expect(await ages(sql)).toEqual([]);
		expect([...(await sql`select deleted_total from nowboard.retention_state`)]).toEqual([
			{ deleted_total: '3500' },
		]);
	});

	test('while one instance deletes a chunk, another deletes nothing', async () => {
		const { sql } = await useDatabase();
		await insert(sql, 5, '91 days');
		await countAll(sql);
		const held = await sql.reserve();
		await held`begin`;
		await held`select from nowboard.retention_state for update`;
		expect(await deleteChunk(sql, DAYS)).toBeNull();
		await held`rollback`;
		held.release();
		expect(await deleteChunk(sql, DAYS)).toEqual({ deleted: 5, more: false });
	});

	test('a locked row is left to the next run, and blocks nothing', async () => {
		const { sql } = await useDatabase();
		await insert(sql, 5, '91 days');
		await countAll(sql);
		const held = await sql.reserve();
		await held`begin`;
		await held`select from nowboard.events where id = 3 for update`;
		expect(await deleteOld(sql, DAYS)).toBe(4);
		await held`rollback`;
		held.release();
		await due(sql);
		expect(await deleteOld(sql, DAYS)).toBe(1);
	});

	test('by index, at any size', async () => {
		const { sql } = await useDatabase();
		await sql`insert into nowboard.events (name, created_at) select 'x', now() - i * interval '1 minute' from generate_series(1, 200000) i`;
		await sql`analyze nowboard.events`;
		const plan = await sql`explain ${oldQuery(sql, sql`'1970-01-01'::timestamptz`, DAYS, 1_000)}`;
		expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toMatch(
			/Index Scan using events_created_at/,
		);
	});
});

describe('who watches', () => {
	const useDatabase = useOwnServer();

	test('is told nothing, and figures do not change; a client from before gets a reset', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const live = follow(instance);
		await live.until(() => live.resets() === 1);
		await insert(sql, 30, '91 days');
		await live.until(() => live.ids.length === 30);
		const before = live.cursor();
		await insert(sql, 30, '91 days');
		await insert(sql, FEED_LENGTH, '0 days');
		await live.until(() => live.ids.length === 60 + FEED_LENGTH);
		const after = live.cursor();
		const { totals } = instance.state();
		await countAll(sql);
		expect(await deleteOld(sql, DAYS)).toBe(60);

		// from a process that remembers nothing
		const fresh = await startTestInstance(url);
		const [behind, ahead] = [follow(fresh, before), follow(fresh, after)];
		await behind.until(() => behind.resets() === 1);
		await sql`insert into nowboard.events (name) values ('new')`;
		const newest = 61 + FEED_LENGTH;
		for (const client of [live, ahead, behind])
			await client.until(() => client.ids.includes(newest));
		expect([live.resets(), ahead.resets(), behind.resets()]).toEqual([1, 0, 1]);
		expect(instance.state().totals.eventsCount).toBe(totals.eventsCount + 1);
		expect(fresh.state().totals).toEqual(instance.state().totals);
	});

	test('(control) without what the trigger leaves behind, thirty events are missed and nothing says so', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const live = follow(instance);
		await live.until(() => live.resets() === 1);
		await insert(sql, 30, '91 days');
		await live.until(() => live.ids.length === 30);
		const before = live.cursor();
		await insert(sql, 30, '91 days');
		await insert(sql, FEED_LENGTH, '0 days');
		await live.until(() => live.ids.length === 60 + FEED_LENGTH);
		await countAll(sql);
		await sql`alter table nowboard.events disable trigger events_deleted`;
		expect(await deleteOld(sql, DAYS)).toBe(60);
		const behind = follow(await startTestInstance(url), before);
		await behind.until(() => behind.ids.length === FEED_LENGTH);
		expect([behind.resets(), behind.ids.length]).toEqual([0, FEED_LENGTH]);
	});
});

test('an error is logged and told, and tried again; what was deleted before stays deleted', async () => {
	const { sql } = await useDatabase();
	await insert(sql, 4, '91 days');
	await countAll(sql);
	await sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$`;
	await sql`create trigger refuse before delete on nowboard.events for each statement execute function refuse()`;
	const { log, lines } = collectLog();
	const retention = startRetention({ sql, days: DAYS, log, lookEveryMs: 20 });
	onTestFinished(() => retention.stop());
	await expect.poll(async () => (await retention.status()).error).toMatch(/the disk is full/);
	expect(lines.join()).toMatch(/old events were not deleted; trying again/);
	expect(await ages(sql)).toHaveLength(4);
	await sql`drop trigger refuse on nowboard.events`;
	await expect.poll(() => retention.status()).toMatchObject({ error: null, deleted: 4 });
	expect(await ages(sql)).toEqual([]);
});
