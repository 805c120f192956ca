/**
 * Whatever one row holds, it is shown, or skipped, counted and named, and everything else goes on: rows that SQL can write and
 * that JavaScript, JSON or a page cannot hold. Rows of today's schema, and rows from before the CHECK on `created_at`.
 */
import { describe, expect, test } from 'vitest';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { readJournal } from '../../src/lib/server/migrations/journal';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { deleteOld, startRetention } from '../../src/lib/server/history/retention';
import { countAll } from '../../src/lib/server/history/rollup';
import { PARSERS } from '../../src/lib/stores/parse';
import { follow } from '../setup/follow';
import { collectLog, startTestInstance, useDatabase } from '../setup/instances';
import { folderWith, useEmptyDatabase } from '../setup/migrations';

const RANGE_CHECK = 'events_created_at_in_years_1_to_9999';
const RANGE_MIGRATION = readJournal('drizzle').findIndex(
	({ tag }) => tag === '0006_created_at_range',
);

/** A database as one from before the CHECK may be: times of all kinds are in it. */
async function useOldRows(): Promise<{ url: string; sql: Sql }> {
	const database = await useDatabase();
	await database.sql.unsafe(`alter table nowboard.events drop constraint ${RANGE_CHECK}`);
	return database;
}

/** What a session in the given time zone inserts. */
async function insertIn(url: string, zone: string, values: string) {
	const session = connect(url, { max: 1 });
	await session.unsafe(`set timezone = '${zone}'`);
	await session.unsafe(`insert into nowboard.events (name, created_at) values ('odd', ${values})`);
	await session.end();
}

const TIMES: [created: string, shown: string | null][] = [
	["'0044-03-15 12:00:00Z BC'", '-000043-03-15T12:00:00.000Z'],
	["'4713-01-01 00:00:00Z BC'", '-004712-01-01T00:00:00.000Z'],
	["'0001-01-01 00:00:00Z'", '0001-01-01T00:00:00.000Z'],
	["'0099-12-31 23:59:59.999Z'", '0099-12-31T23:59:59.999Z'],
	["'1880-01-01 00:00:00Z'", '1880-01-01T00:00:00.000Z'],
	["'9999-12-31 23:59:59.999Z'", '9999-12-31T23:59:59.999Z'],
	["'10000-01-01 00:00:00Z'", '+010000-01-01T00:00:00.000Z'],
	["'275760-09-13 00:00:00Z'", '+275760-09-13T00:00:00.000Z'],
	["'275760-09-13 00:00:00.001Z'", null],
	["'290000-01-01'", null],
	["'294276-12-31 23:59:59.999Z'", null],
	["'infinity'", null],
	["'-infinity'", null],
];

describe.each(['UTC', 'America/New_York', 'Asia/Kathmandu'])('in the time zone %s', (zone) => {
	test('every time is shown exactly, or skipped and named; other rows come, before and after a restart', async () => {
		const { url, sql } = await useOldRows();
		await sql.unsafe(`alter database ${new URL(url).pathname.slice(1)} set timezone = '${zone}'`);
		const instance = await startTestInstance(url);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		for (const [created] of TIMES) await insertIn(url, zone, created);
		await sql`insert into nowboard.events (name) values ('ordinary')`;
		const total = TIMES.length + 1;
		await client.until(({ ids, omitted }) => ids.length + omitted() === total);

		const shown = TIMES.flatMap(([, at], i) => (at === null ? [] : [[i + 1, at]]));
		const skipped = TIMES.flatMap(([, at], i) => (at === null ? [i + 1] : []));
		const events = client.of('activity').flatMap(({ events }) => events);
		expect(events.slice(0, -1).map(({ id, createdAt }) => [id, createdAt])).toEqual(shown);
		expect(client.omitted()).toBe(skipped.length);
		expect(instance.skipped.count()).toBe(skipped.length);
		expect(instance.skipped.part()?.words).toContain(`id ${skipped.at(-1)} (created_at is`);
		expect([client.resets(), instance.missing()]).toEqual([1, []]);

		const restarted = await startTestInstance(url);
		const fresh = follow(restarted);
		await fresh.until(() => fresh.resets() === 1);
		const [reset] = fresh.of('reset');
		expect(reset?.events.map(({ id }) => id)).toEqual([
			total,
			...shown.map(([id]) => id).reverse(),
		]);
		expect(PARSERS.reset(reset).ok).toBe(true);
		expect(reset?.totals.eventsCount).toBe(1);
		expect(restarted.skipped.count()).toBe(skipped.length);
		await sql`insert into nowboard.events (name) values ('later')`;
		for (const one of [client, fresh]) await one.until(({ ids }) => ids.includes(total + 1));
	});
});

test('(control) a date that JavaScript parses from the text of Postgres is wrong or none', async () => {
	const { url } = await useOldRows();
	const session = connect(url, { max: 1 });
	await session`set timezone = 'America/New_York'`;
	const parsed: (string | null)[] = [];
	for (const [created] of TIMES) {
		const [row] = await session.unsafe(`select ${created}::timestamptz::text as text`);
		const at = new Date(row?.text as string);
		parsed.push(Number.isNaN(at.getTime()) ? null : at.toISOString());
	}
	await session.end();
	const wrong = TIMES.filter(([, shown], i) => shown !== null && parsed[i] !== shown);
	expect(wrong.length).toBeGreaterThan(3);
});

describe('the range of created_at', () => {
	test.each(["'0044-03-15 BC'", "'10000-01-01 00:00:00Z'", "'infinity'", "'-infinity'"])(
		'%s is refused by a constraint whose name is the rule',
		async (created) => {
			const { sql } = await useDatabase();
			const insert = sql.unsafe(
				`insert into nowboard.events (name, created_at) values ('x', ${created})`,
			);
			await expect(insert).rejects.toMatchObject({ constraint_name: RANGE_CHECK, code: '23514' });
		},
	);

	test('rows from before it are moved into it by the migration, which scans no table', async () => {
		const { url, sql } = await useEmptyDatabase();
		await migrate(url, { folder: folderWith(RANGE_MIGRATION) });
		await sql`alter table nowboard.events drop constraint events_created_at_finite`;
		for (const [created] of TIMES) await insertIn(url, 'UTC', created);
		await migrate(url);
		const rows = await sql<{ at: string }[]>`
			select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS BC') as at from nowboard.events order by id`;
		expect(rows.map(({ at }) => at)).toEqual([
			'0001-01-01 00:00:00.000 AD',
			'0001-01-01 00:00:00.000 AD',
			'0001-01-01 00:00:00.000 AD',
			'0099-12-31 23:59:59.999 AD',
			'1880-01-01 00:00:00.000 AD',
			...Array<string>(7).fill('9999-12-31 23:59:59.999 AD'),
			'0001-01-01 00:00:00.000 AD',
		]);
	});
});

test('history counts, and retention deletes and reports, beside times of all kinds', async () => {
	const { url, sql } = await useOldRows();
	for (const [created] of TIMES) await insertIn(url, 'UTC', created);
	await sql`insert into nowboard.events (name) values ('ordinary')`;
	await countAll(sql);
	const sums =
		await sql`select sum(events)::int as events from nowboard.rollups where step = 900 and source = ''`;
	expect(sums[0]).toEqual({ events: 1 });
	expect(await deleteOld(sql, 90)).toBe(6);
	const { log, lines } = collectLog();
	const retention = startRetention({ sql, days: 90, log, lookEveryMs: 1 });
	await expect.poll(async () => (await retention.status()).startedAt).toMatch(/^\d{4}-\d\d-\d\dT/);
	expect(await retention.status()).toMatchObject({ deletedTotal: 6, error: null });
	await retention.stop();
	expect(lines.filter((line) => line.includes('not deleted'))).toEqual([]);
});

describe('properties and ids that no page can hold', () => {
	const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

	test('are skipped, counted and named; rows beside them in the same transaction are shown', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		await sql`
			insert into nowboard.events (id, name, properties) values
				(1, 'first', '{}'),
				(2, 'deep', ${`{"a": ${nested(63)}}`}::text::jsonb),
				(3, 'too deep', ${`{"a": ${nested(64)}}`}::text::jsonb),
				(4, 'deepest', ${`{"a": ${nested(8_000)}}`}::text::jsonb),
				(5, 'odd keys', '{"__proto__": {"path": 1}, "": 2, "toJSON": 3, "constructor": null}'),
				(9007199254740993, 'odd id', '{}'),
				(9223372036854775807, 'last id', '{}'),
				(-5, 'negative id', '{}')`;
		await client.until(({ ids, omitted }) => ids.length + omitted() === 8);
		expect(client.ids).toEqual([-5, 1, 2, 5]);
		expect(instance.skipped.part()).toMatchObject({ figure: '4' });
		for (const named of ['id 3 (properties are nested', 'id 9223372036854775807 (id lies beyond'])
			expect(instance.skipped.part()?.words).toContain(named);
		const [frame] = client.of('activity');
		expect(frame && PARSERS.activity(frame).ok).toBe(true);
		expect(frame?.totals?.eventsCount).toBe(8);
		expect(JSON.stringify(frame?.events.at(-1)?.properties)).toBe(
			'{"":2,"toJSON":3,"__proto__":{"path":1},"constructor":null}',
		);
		// who comes back gets the same from a read
		const cursor = client.cursor();
		await sql`insert into nowboard.events (id, name) values (9223372036854775806, 'odd'), (10, 'shown')`;
		const back = follow(await startTestInstance(url), cursor);
		await back.until(({ ids, omitted }) => ids.length + omitted() === 2);
		expect([back.ids, back.omitted(), back.resets()]).toEqual([[10], 1, 0]);
	});

	test('a transaction of more rows than one read is read to its end, whatever their ids', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		await sql`
			insert into nowboard.events (id, name) select 9223372036854775807 - n, 'odd id' from generate_series(0, 4999) n`;
		await sql`insert into nowboard.events (name) values ('after')`;
		// what comes after it may be shown before it
		await client.until(({ ids, omitted }) => ids.length + omitted() === 5_001);
		expect([client.ids.length, client.resets()]).toEqual([1, 1]);
	});
});
