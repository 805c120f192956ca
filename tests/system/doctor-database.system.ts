/** Faults that are planted into real databases, one at a time, and what the doctor says of each. The control: without one it says nothing. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import type { JournalEntry } from '../../src/lib/server/migrations/journal';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { createCluster } from '../setup/cluster';
import { startServer, type PrivateServer } from '../setup/private-server';
import { makeTemporaryFolder } from '../setup/server';
import { copyDatabase, databaseUrl } from '../setup/template';
import { runDoctor } from './doctor';
import { startPgbouncer } from './pgbouncer';

/** So few that a test can take them all. */
const MAX_CONNECTIONS = 40;
let server: PrivateServer;
/** database `postgres` of it */
let adminUrl: string;

// the server of other tests is fast and forgetful, which the doctor would say every time
beforeAll(async () => {
	server = await startServer({ max_connections: MAX_CONNECTIONS });
	adminUrl = databaseUrl(server.url, 'postgres');
});
afterAll(() => server.drop());

/** A migrated database, with what is done to it. */
async function useCopy(change: (sql: Sql, name: string) => Promise<unknown> = async () => {}) {
	const url = await copyDatabase(adminUrl, 'nowboard');
	const sql = connect(url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 0 }));
	await change(sql, new URL(url).pathname.slice(1));
	return url;
}

const ask = (DATABASE_URL: string, env: Record<string, string> = {}) =>
	runDoctor({ env: { DATABASE_URL, ...env } });

test('control: a database as it should be', async () => {
	const { code, wrong, unseen, text } = await ask(await useCopy());
	expect([code, wrong, unseen], text).toEqual([0, [], ['address']]);
});

test('control: behind a pooler, with the direct address beside it', async () => {
	const url = await useCopy();
	const pooled = await startPgbouncer(url);
	const { code, wrong, text } = await ask(pooled, { DATABASE_DIRECT_URL: url });
	expect([code, wrong], text).toEqual([0, []]);
});

test('a database that is down', async () => {
	const url = new URL(adminUrl);
	url.port = String(await freePort());
	const { code, wrong, text } = await ask(url.href);
	expect([code, wrong]).toEqual([1, ['DATABASE_URL']]);
	expect(text).toContain('ECONNREFUSED');
});

test('a wrong password; it is not shown', async () => {
	const url = new URL(await useCopy());
	url.password = 'hunter2';
	const { wrong, text } = await ask(url.href);
	expect(wrong).toEqual(['DATABASE_URL']);
	expect(text).toContain('refuses the login');
	expect(text).not.toContain('hunter2');
});

test('variables of the wrong form', async () => {
	const { wrong } = await ask('mysql://x', { PORT: 'http' });
	expect(wrong).toEqual(['environment', 'environment']);
});

test('a pooler in transaction mode is named, together with the variable that mends it', async () => {
	const pooled = await startPgbouncer(await useCopy());
	const one = await ask(pooled);
	expect(one.wrong).toEqual(['LISTEN']);
	expect(one.text).toContain('a pooler in transaction mode is in the way');
	expect(one.text).toContain('Set DATABASE_DIRECT_URL to the address without the pooler');
	const both = await ask(pooled, { DATABASE_DIRECT_URL: pooled.replace('127.0.0.1', 'localhost') });
	expect(both.wrong).toEqual(['LISTEN']);
	expect(both.text).toContain('behind DATABASE_DIRECT_URL too');
});

test('two addresses that lead to different databases', async () => {
	const { wrong } = await ask(await useCopy(), { DATABASE_DIRECT_URL: await useCopy() });
	expect(wrong).toEqual(['same database']);
});

test('an old schema: the missing migration is named', async () => {
	const folder = makeTemporaryFolder();
	onTestFinished(() => rmSync(folder, { recursive: true }));
	cpSync('drizzle', folder, { recursive: true });
	const path = join(folder, 'meta', '_journal.json');
	const journal = JSON.parse(readFileSync(path, 'utf8')) as { entries: JournalEntry[] };
	const last = journal.entries.pop();
	writeFileSync(path, JSON.stringify(journal));
	const url = await copyDatabase(adminUrl);
	await migrate(url, { folder });
	const { wrong, text } = await ask(url);
	expect(wrong).toEqual(['migrations']);
	expect(text).toContain(`the schema is old: ${last?.tag} is missing`);
	expect(text).toContain('npm run db:migrate');
});

test('(no fault) a schema that a newer version has made', async () => {
	const { wrong, text } = await ask(
		await useCopy(
			(sql) =>
				sql`insert into nowboard.__drizzle_migrations (hash, created_at) values ('new', 9999999999999)`,
		),
	);
	expect(wrong).toEqual([]);
	expect(text).toContain('and 1 of a newer version');
});

test('an empty database', async () => {
	const { wrong, text } = await ask(await copyDatabase(adminUrl));
	expect(wrong).toEqual(['migrations', 'triggers', 'writing']);
	expect(text).toContain('the tables of Nowboard are not there');
});

test('triggers that are switched off or gone', async () => {
	const { wrong, text } = await ask(
		await useCopy(async (sql) => {
			await sql`alter table nowboard.events disable trigger events_ring`;
			await sql`drop trigger events_deleted on nowboard.events`;
		}),
	);
	expect(wrong).toEqual(['triggers']);
	expect(text).toContain('events_ring (events come by polling only), events_deleted');
});

test('a database that takes no writes', async () => {
	const { wrong, text } = await ask(
		await useCopy(
			(sql, name) => sql`alter database ${sql(name)} set default_transaction_read_only = on`,
		),
	);
	expect(wrong).toEqual(['writing']);
	expect(text).toContain('Postgres is read-only');
});

test('a locked table', async () => {
	const url = await useCopy();
	const sql = connect(url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 0 }));
	await sql`begin`;
	await sql`lock table nowboard.events in access exclusive mode`;
	const { wrong, text } = await ask(url);
	expect(wrong).toEqual(['writing']);
	expect(text).toContain('Another transaction has locked a table');
});

test('commits that a crash takes back', async () => {
	const { wrong, text } = await ask(
		await useCopy((sql, name) => sql`alter database ${sql(name)} set synchronous_commit = off`),
	);
	expect(wrong).toEqual(['durability']);
	expect(text).toContain('synchronous_commit is off');
});

test('no room for another process', async () => {
	const url = await useCopy();
	const others = connect(url, { max: MAX_CONNECTIONS - 10 });
	onTestFinished(() => others.end({ timeout: 0 }));
	await Promise.all(
		Array.from({ length: MAX_CONNECTIONS - 10 }, () => others`select pg_sleep(0.5)`),
	);
	expect((await ask(url)).wrong).toEqual(['connections']);
});

test('a standby', async () => {
	const primary = await createCluster();
	onTestFinished(primary.drop);
	const standby = await primary.copy();
	onTestFinished(standby.drop);
	standby.signal('standby');
	// clusters of tests are forgetful, which is said beside
	await standby.start({ fsync: 'on' });
	const { wrong, text } = await ask(standby.url());
	expect(wrong).toEqual(['Postgres', 'writing', 'LISTEN']);
	expect(text).toContain('is a standby');
});
