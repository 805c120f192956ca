/** Installations in `public` move into the schema of their own, with their data, while the version before goes on. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { readJournal } from '../../src/lib/server/migrations/journal';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { follow } from '../setup/follow';
import { startTestInstance } from '../setup/instances';
import { folderWith, useEmptyDatabase } from '../setup/migrations';
import {
	installOld,
	makeForeignMigrations,
	migrateAsDrizzle,
	OLD_MIGRATIONS,
} from '../setup/old-installation';
import {
	drainAsFirstBuild,
	insertAsFirstBuild,
	insertByHand,
	tickAsFirstBuild,
} from '../setup/older-build';

const ALL = readJournal('drizzle').length;
const tables = async (sql: Sql) =>
	(await sql`select tablename as name from pg_tables where schemaname = 'public' order by 1`).map(
		({ name }) => name as string,
	);

describe.each(Array.from({ length: OLD_MIGRATIONS }, (_, index) => index + 1))(
	'from schema %i of the journal',
	(count) => {
		test('tables, rows and journal move', async () => {
			const { url, sql } = await useEmptyDatabase();
			await installOld(url, count);
			await sql`insert into public.events (name, properties) select 'old ' || n, jsonb_build_object('n', n)
				from generate_series(1, 200) as n`;
			const dump = (schema: string) =>
				sql`select id, tx::text, event_id, name, properties, created_at from ${sql(schema)}.events order by id`;
			const before = [...(await dump('public'))];
			expect(await migrate(url)).toBe(ALL - count);
			expect([...(await dump('nowboard'))]).toEqual(before);
			expect([...(await dump('public'))]).toEqual(before);
			expect(await migrate(url)).toBe(0);
			expect(await sql`select hash from nowboard.__drizzle_migrations`).toHaveLength(ALL);
			const [journal] = await sql`select to_regnamespace('drizzle') is null as gone`;
			expect(journal).toEqual({ gone: true });
		});
	},
);

test('what the version before says is understood, and its ids are never given twice', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	const older = connect(url, { max: 1 });
	try {
		await insertAsFirstBuild(older, ['before a', 'before b']);
		const rung: string[] = [];
		const listener = connect(url, { max: 1 });
		await listener.listen('nowboard', (payload) => rung.push(payload));
		const [first] = await sql`select min(tx::text::bigint) as tx from public.events`;
		await migrate(url);
		for (let i = 0; i < 5; i++) {
			expect(await insertAsFirstBuild(older, [`older ${i}`])).toBe(1);
			await sql`insert into nowboard.events (name) values (${`newer ${i}`})`;
			expect(await insertByHand(older, `by hand ${i}`)).toBe(1);
		}
		expect(await tickAsFirstBuild(older, 7)).toBe(1);
		await expect.poll(() => rung.length).toBe(15);
		await listener.end();
		expect(await drainAsFirstBuild(older, BigInt(first?.tx as string))).toHaveLength(15);
		const [count] =
			await sql`select count(*)::int as n, count(distinct id)::int as ids from nowboard.events`;
		expect(count).toEqual({ n: 17, ids: 17 });
		await older`delete from events where name = 'older 1'`;
		await older`update events set tx = '0' where name = 'older 2'`;
		await older`select nowboard_renew_epoch(), nowboard_identity()`;
		const state = older`select from rollup_state for update skip locked`;
		expect(await state).toHaveLength(1);
	} finally {
		await older.end({ timeout: 1 });
	}
});

test('a running instance of the version before sees no other history, at any point of the move', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	const older = connect(url, { max: 1 });
	const identity = async () =>
		(
			await older`select nowboard_identity() as here, (select value from meta where key = 'identity') as mine,
				(select value from meta where key = 'epoch') as epoch`
		)[0];
	try {
		const before = await identity();
		expect(before?.here).toBe(before?.mine);
		// moved, and nothing more
		expect(await migrate(url, { folder: folderWith(OLD_MIGRATIONS) })).toBe(0);
		expect(await identity()).toEqual(before);
		expect(await migrate(url)).toBe(ALL - OLD_MIGRATIONS);
		expect(await identity()).toEqual(before);
		await sql`truncate nowboard.events`;
		expect((await identity())?.epoch).not.toBe(before?.epoch);
	} finally {
		await older.end({ timeout: 1 });
	}
});

test('a client that left at the version before comes back without a reset', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	await sql`insert into public.events (name) values ('seen')`;
	const [at] = await sql`
		select (select value from public.meta where key = 'epoch') as epoch, max(tx::text::bigint)::text as last from public.events`;
	await sql`insert into public.events (name) values ('missed')`;
	const prepare = async () => void (await migrate(url));
	const instance = await startTestInstance(url, { prepare });
	const client = follow(instance, `${at?.epoch}-${BigInt(at?.last as string).toString(36)}`);
	await client.until(({ events }) => events.some(({ name }) => name === 'activity'));
	expect([client.ids.length, client.resets()]).toEqual([1, 0]);
});

test('an installation in another schema leaves it alone, and says so once', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	await sql`insert into public.events (name) values ('of the first')`;
	const before = await tables(sql);
	const told: string[] = [];
	const second = { schema: 'second', warn: (message: string) => void told.push(message) };
	expect(await migrate(url, second)).toBe(ALL);
	expect(await migrate(url, second)).toBe(0);
	expect(told).toEqual([
		expect.stringMatching(
			/"public" holds the events.*They stay there: DATABASE_SCHEMA is "second"/,
		),
	]);
	expect(await tables(sql)).toEqual(before);
	expect(await sql`select from second.events`).toHaveLength(0);
	// (control) the default schema takes it over, also later
	expect(await migrate(url)).toBe(ALL - OLD_MIGRATIONS);
	expect(await sql`select name from nowboard.events`).toEqual([{ name: 'of the first' }]);
	expect(await sql`select from second.events`).toHaveLength(0);
});

test('another role keeps its rights, on the view and on the table', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	const role = `orders_${Date.now()}`;
	await sql.unsafe(`create role ${role}; grant insert (name, properties) on events to ${role}`);
	try {
		await migrate(url);
		const other = connect(url, { max: 1 });
		await other.unsafe(`set role ${role}`);
		await other`insert into events (name) values ('old place')`;
		await other`insert into nowboard.events (name) values ('new place')`;
		await expect(other`select * from events`).rejects.toThrow(/permission denied/);
		await other.end();
	} finally {
		await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
	}
});

test('a long statement on the table holds up no one: the move waits its turn', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	const reader = connect(url, { max: 1 });
	const held = await reader`begin`.then(() => reader`select count(*) from events`);
	expect(held).toHaveLength(1);
	const moving = migrate(url);
	await expect
		.poll(() => sql`select from pg_locks where not granted and mode = 'AccessExclusiveLock'`, {
			timeout: 20_000,
		})
		.toHaveLength(1);
	// it gives up, and this goes through before the reader has ended
	await sql`insert into public.events (name) values ('not held up')`;
	await reader`commit`;
	await reader.end();
	expect(await moving).toBe(ALL - OLD_MIGRATIONS);
}, 60_000);

describe('another drizzle application in the same database', () => {
	/** Older than any of ours. */
	const EARLY = Date.UTC(2024, 0);

	test('migrates first: its rows of the journal stay', async () => {
		const { url, sql } = await useEmptyDatabase();
		const folder = makeForeignMigrations(EARLY);
		await migrateAsDrizzle(url, folder);
		expect(await migrate(url)).toBe(ALL);
		await migrateAsDrizzle(url, folder);
		expect(await sql`select from drizzle.__drizzle_migrations`).toHaveLength(1);
		expect(await tables(sql)).toEqual(['invoices']);
	});

	test('migrates after us, with an older date: its tables are made', async () => {
		const { url, sql } = await useEmptyDatabase();
		await migrate(url);
		await migrateAsDrizzle(url, makeForeignMigrations(EARLY));
		expect(await tables(sql)).toEqual(['invoices']);
	});

	test('(control) while our rows are in the shared journal its tables are not made, without an error', async () => {
		const { url, sql } = await useEmptyDatabase();
		await installOld(url);
		await migrateAsDrizzle(url, makeForeignMigrations(EARLY));
		expect(await tables(sql)).not.toContain('invoices');
	});

	test('shared the journal with an installation of before: each goes on', async () => {
		const { url, sql } = await useEmptyDatabase();
		const folder = makeForeignMigrations(EARLY);
		await migrateAsDrizzle(url, folder);
		await installOld(url);
		await migrate(url);
		expect(await sql`select from drizzle.__drizzle_migrations`).toHaveLength(1);
		await migrateAsDrizzle(url, folder);
		expect(await tables(sql)).toEqual(['invoices']);
	});
});

test('what docs/upgrading.md says to drop is all that was left behind', async () => {
	const { url, sql } = await useEmptyDatabase();
	await installOld(url);
	await migrate(url);
	const text = readFileSync('docs/upgrading.md', 'utf8');
	const statements = /```sql\n(DROP VIEW [^`]*)```/.exec(text)?.[1] ?? '';
	const left = () => sql`
		select relname as name from pg_class where relnamespace = 'public'::regnamespace
		union all select proname from pg_proc where pronamespace = 'public'::regnamespace`;
	expect((await left()).length).toBeGreaterThan(12);
	await sql.unsafe(statements);
	expect([...(await left())]).toEqual([]);
});

test('drizzle-kit finds nothing to generate', () => {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-generate-'));
	try {
		cpSync('drizzle', join(folder, 'drizzle'), { recursive: true });
		const schema = resolve('src/lib/server/db/schema.ts');
		const args = ['generate', '--dialect', 'postgresql', '--schema', schema, '--out', 'drizzle'];
		const said = execFileSync(
			process.execPath,
			[resolve('node_modules/drizzle-kit/bin.cjs'), ...args],
			{
				cwd: folder,
				encoding: 'utf8',
			},
		);
		expect(said).toContain('No schema changes, nothing to migrate');
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test('no migration names a schema: each runs in the one that is configured', () => {
	const files = readdirSync('drizzle').filter((name) => name.endsWith('.sql'));
	const naming = files.filter((name) =>
		/"?(public|nowboard)"?\."?\w/.test(readFileSync(join('drizzle', name), 'utf8')),
	);
	expect(naming).toEqual([]);
});
