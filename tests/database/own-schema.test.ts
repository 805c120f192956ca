/** Beside other applications, with few rights, and beside another installation of Nowboard in the same database. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { readJournal } from '../../src/lib/server/migrations/journal';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { createAppServer } from '../setup/app-server';
import { follow } from '../setup/follow';
import { followHttp, post } from '../setup/follow-http';
import { startTestInstance } from '../setup/instances';
import { folderWith, useEmptyDatabase } from '../setup/migrations';
import { startServer, type PrivateServer } from '../setup/private-server';
import { databaseUrl } from '../setup/template';

const ALL = readJournal('drizzle').length;

test('starts and works beside an application with tables of the same names', async () => {
	const { url, sql } = await useEmptyDatabase();
	await sql.unsafe(`
		create table events (id serial primary key, kind text not null);
		create table sessions (sid text primary key);
		create table meta (key text primary key, version int);
		insert into events (kind) values ('theirs')`);
	const app = createAppServer(await freePort(), url);
	onTestFinished(() => app.kill('SIGKILL'));
	await app.start();
	const client = followHttp(app.url);
	await client.until(({ resets }) => resets() === 1);
	expect(await post(app.url, { name: 'ours' })).toBe(202);
	await sql`insert into nowboard.events (name) values ('by SQL')`;
	await client.until(({ ids }) => ids.length === 2);
	expect([...(await sql`select * from public.events`)]).toEqual([{ id: 1, kind: 'theirs' }]);
}, 60_000);

test('a table of another application in our schema is named, and nothing is changed', async () => {
	const { url, sql } = await useEmptyDatabase();
	await sql.unsafe('create schema nowboard; create table nowboard.meta (version int)');
	await expect(migrate(url)).rejects.toThrow(
		'The schema "nowboard" holds "meta", which Nowboard has not made.',
	);
	expect(await sql`select from pg_tables where schemaname = 'nowboard'`).toHaveLength(1);
});

test('DATABASE_SCHEMA decides; nothing is made elsewhere', async () => {
	const { url, sql } = await useEmptyDatabase();
	expect(await migrate(url, { schema: 'team_b' })).toBe(ALL);
	const schemas = await sql`
		select distinct relnamespace::regnamespace::text as name from pg_class
		where relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`;
	expect([...schemas]).toEqual([{ name: 'team_b' }]);
});

test('two installations in one database do not see or wake each other', async () => {
	const { url, sql } = await useEmptyDatabase();
	const start = async (schema: string) => {
		await migrate(url, { schema });
		const instance = await startTestInstance(url, { schema });
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		return client;
	};
	const [a, b] = [await start('team_a'), await start('team_b')];
	const heard: string[] = [];
	const listener = connect(url, { max: 1 });
	onTestFinished(() => listener.end({ timeout: 1 }));
	for (const schema of ['team_a', 'team_b'])
		await listener.listen(schema, (payload) => void (payload === '' && heard.push(schema)));
	await sql`insert into team_a.events (name) values ('of a')`;
	await a.until(({ ids }) => ids.length === 1);
	await sql`insert into team_b.events (name) values ('of b 1'), ('of b 2')`;
	await b.until(({ ids }) => ids.length === 2);
	expect([a.ids.length, b.ids.length]).toEqual([1, 2]);
	expect(heard).toEqual(['team_a', 'team_b']);
});

test.each(['', "''", 'pg_temp', 'team_x, public'])(
	'works whatever the search_path of the session is: "%s"',
	async (path) => {
		const { url, sql } = await useEmptyDatabase();
		await migrate(url);
		const odd = `${url}?options=${encodeURIComponent(`-c search_path=${path.replaceAll(' ', '')}`)}`;
		const instance = await startTestInstance(odd);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		const other = connect(odd, { max: 1 });
		onTestFinished(() => other.end({ timeout: 1 }));
		await other`insert into nowboard.events (name) values ('first'), ('second')`;
		await client.until(({ ids }) => ids.length === 2);
		await other`delete from nowboard.events where name = 'first'`;
		await client.until(() => client.resets() === 2);
		await other`truncate nowboard.events`;
		await client.until(() => client.resets() === 3);
		expect(await sql`select from nowboard.events`).toHaveLength(0);
	},
);

describe('a role', () => {
	let server: PrivateServer;
	let admin: Sql;
	let count = 0;

	beforeAll(async () => {
		server = await startServer();
		admin = connect(databaseUrl(server.url, 'postgres'), { max: 1 });
	});
	afterAll(async () => {
		await admin.end({ timeout: 1 });
		await server.drop();
	});

	/** A database of the administrator, and a role without any right in it. */
	async function usePlace() {
		const name = `few_rights_${++count}`;
		await admin.unsafe(`create database ${name}`);
		await admin.unsafe(`create role ${name} login password 'few'`);
		const ownerUrl = databaseUrl(server.url, name);
		const owner = connect(ownerUrl, { max: 1 });
		onTestFinished(() => owner.end({ timeout: 1 }));
		const url = new URL(ownerUrl);
		[url.username, url.password] = [name, 'few'];
		return { role: name, owner, ownerUrl, url: url.href };
	}

	test('that may create in its own schema only migrates, and needs no right to the database', async () => {
		const { role, owner, url } = await usePlace();
		await owner.unsafe(`create schema nowboard authorization ${role}`);
		expect(await migrate(url)).toBe(ALL);
		const [made] =
			await owner`select pg_get_userbyid(relowner) as by from pg_class where oid = 'nowboard.events'::regclass`;
		expect(made).toEqual({ by: role });
	});

	test('that may use the tables and nothing else starts, and creates nothing', async () => {
		const { role, owner, ownerUrl, url } = await usePlace();
		await migrate(ownerUrl);
		await owner.unsafe(`
			grant usage on schema nowboard to ${role};
			grant select, insert, update, delete on all tables in schema nowboard to ${role};
			grant usage on all sequences in schema nowboard to ${role};
			grant execute on all functions in schema nowboard to ${role};
			create table public.made (what text);
			create function public.note() returns event_trigger language plpgsql security definer as
				$$ begin insert into public.made values (tg_tag); end $$;
			create event trigger note on ddl_command_start execute function public.note()`);
		const app = createAppServer(await freePort(), url);
		onTestFinished(() => app.kill('SIGKILL'));
		await app.start();
		const client = followHttp(app.url);
		await client.until(({ resets }) => resets() === 1);
		expect(await post(app.url, { name: 'allowed' })).toBe(202);
		await client.until(({ ids }) => ids.length === 1);
		expect([...(await owner`select what from public.made`)]).toEqual([]);
	}, 60_000);

	test('that may not migrate is refused by name while something is pending', async () => {
		const { role, owner, ownerUrl, url } = await usePlace();
		await migrate(ownerUrl, { folder: folderWith(ALL - 1) });
		await owner.unsafe(`
			grant usage on schema nowboard to ${role};
			grant select on all tables in schema nowboard to ${role}`);
		await expect(migrate(url)).rejects.toMatchObject({ code: '42501' });
	});

	test('that may truncate and nothing else may truncate, whatever its search_path is', async () => {
		const { role, owner, ownerUrl, url } = await usePlace();
		await migrate(ownerUrl);
		await owner.unsafe(`
			grant usage on schema nowboard to ${role};
			grant truncate, insert on nowboard.events to ${role}`);
		const epoch = async () =>
			(await owner`select value from nowboard.meta where key = 'epoch'`)[0]?.value;
		const before = await epoch();
		const other = connect(url, { max: 1 });
		onTestFinished(() => other.end({ timeout: 1 }));
		await other.unsafe(`set search_path = ''`);
		await other`insert into nowboard.events (name) values ('short-lived')`;
		await other`truncate nowboard.events`;
		expect(await epoch()).not.toBe(before);
		// what resets every page is no right of theirs
		await expect(other`select nowboard.nowboard_renew_epoch()`).rejects.toThrow(
			/permission denied/,
		);
	});
});
