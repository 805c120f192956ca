import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, expect, onTestFinished, test } from 'vitest';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateUnlocked } from 'drizzle-orm/postgres-js/migrator';
import { copyDatabase, dropDatabase } from '../../../../tests/setup/template';
import { connect, type Sql } from './connect';
import { findJournalProblem, migrate, readJournal } from './migrate';

const OURS = readJournal('drizzle').length;

async function emptyDatabase(): Promise<{ url: string; sql: Sql }> {
	const adminUrl = inject('adminUrl');
	const url = await copyDatabase(adminUrl);
	const sql = connect(url, { max: 2 });
	onTestFinished(async () => {
		await sql.end({ timeout: 1 });
		await dropDatabase(adminUrl, url);
	});
	return { url, sql };
}

/** A copy of our migrations, to be changed by a test. */
function copyFolder(
	change: (journal: { entries: ReturnType<typeof readJournal> }) => void,
): string {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-migrations-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	cpSync('drizzle', folder, { recursive: true });
	const path = join(folder, 'meta', '_journal.json');
	const journal = JSON.parse(readFileSync(path, 'utf8')) as {
		entries: ReturnType<typeof readJournal>;
	};
	change(journal);
	writeFileSync(path, JSON.stringify(journal));
	return folder;
}

test('our own journal counts up and is in order of time', () => {
	expect(findJournalProblem(readJournal('drizzle'))).toBeUndefined();
});

test('a journal with a hole or out of order is refused, and says which migration', () => {
	const a = { idx: 0, when: 10, tag: '0000_a' };
	expect(findJournalProblem([a, { idx: 2, when: 20, tag: '0002_c' }])).toMatch(
		/"0002_c" has idx 2/,
	);
	expect(findJournalProblem([a, { idx: 1, when: 10, tag: '0001_b' }])).toMatch(
		/"0001_b" was generated before "0000_a"/,
	);
	expect(findJournalProblem([a, { idx: 1, when: 9, tag: '0001_b' }])).toMatch(/skipped/);
});

test('four instances that start at once migrate once', async () => {
	const { url, sql } = await emptyDatabase();
	const applied = await Promise.all([migrate(url), migrate(url), migrate(url), migrate(url)]);
	expect(applied.sort()).toEqual([0, 0, 0, OURS]);
	const [row] = await sql`SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations`;
	expect(row).toEqual({ n: OURS });
});

test('negative control: without the lock, four at once do not all succeed', async () => {
	const { url } = await emptyDatabase();
	const clients = Array.from({ length: 4 }, () => connect(url, { max: 1 }));
	await Promise.all(clients.map((client) => client`SELECT 1`));
	const results = await Promise.allSettled(
		clients.map((client) => migrateUnlocked(drizzle({ client }), { migrationsFolder: 'drizzle' })),
	);
	await Promise.all(clients.map((client) => client.end({ timeout: 1 })));
	expect(results.map(({ status }) => status)).toContain('rejected');
});

test('a migration that drizzle skips is named instead of forgotten', async () => {
	const { url } = await emptyDatabase();
	await migrate(url);
	// generated earlier on another branch, merged later: older than the newest that is applied
	const folder = copyFolder(({ entries }) => {
		const [first, second] = entries;
		if (!first || !second) throw new Error('two migrations are needed');
		const late = { ...second, idx: 1, when: first.when + 1 };
		entries.splice(1, 0, late);
		entries.forEach((entry, idx) => (entry.idx = idx));
	});
	await expect(migrate(url, { folder })).rejects.toThrow(/Migrations were skipped: 0001_/);
});

test('a database that a newer version has migrated is refused', async () => {
	const { url } = await emptyDatabase();
	await migrate(url);
	const folder = copyFolder(({ entries }) => entries.pop());
	await expect(migrate(url, { folder })).rejects.toThrow(/migrated by a newer version/);
});

test('a missing folder says where it was looked for', async () => {
	await expect(migrate('postgres://localhost/x', { folder: '/nowhere' })).rejects.toThrow(
		/there is no .*nowhere.*_journal\.json/,
	);
});

test('an instance that hangs in its migration is named, not waited for without end', async () => {
	const { url, sql } = await emptyDatabase();
	await sql`SELECT 1`;
	const held = await sql.reserve();
	await held`SELECT pg_advisory_lock(${'7957710331246113380'}::bigint)`;
	await expect(migrate(url, { lockTimeoutMs: 100 })).rejects.toThrow(/Another process has been/);
	held.release();
});
