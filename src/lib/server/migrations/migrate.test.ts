import { describe, expect, test } from 'vitest';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateUnlocked } from 'drizzle-orm/postgres-js/migrator';
import { copyFolder, folderWith, useEmptyDatabase } from '../../../../tests/setup/migrations';
import { connect } from '../db/connect';
import { findDifference, findJournalProblem, readJournal, type Migration } from './journal';
import { migrate, NEEDS_KEY } from './migrate';

const OURS = readJournal('drizzle').length;

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
	expect(findJournalProblem([a, { idx: 1, when: 9, tag: '0001_b' }])).toMatch(/Generate/);
});

test('four instances that start at once migrate once', async () => {
	const { url, sql } = await useEmptyDatabase();
	const applied = await Promise.all([migrate(url), migrate(url), migrate(url), migrate(url)]);
	expect(applied.sort()).toEqual([0, 0, 0, OURS]);
	const [row] = await sql`SELECT count(*)::int AS n FROM nowboard.__drizzle_migrations`;
	expect(row).toEqual({ n: OURS });
});

test('negative control: without the lock, four at once do not all succeed', async () => {
	const { url } = await useEmptyDatabase();
	const clients = Array.from({ length: 4 }, () => connect(url, { max: 1 }));
	await Promise.all(clients.map((client) => client`SELECT 1`));
	const results = await Promise.allSettled(
		clients.map((client) => migrateUnlocked(drizzle({ client }), { migrationsFolder: 'drizzle' })),
	);
	await Promise.all(clients.map((client) => client.end({ timeout: 1 })));
	expect(results.map(({ status }) => status)).toContain('rejected');
});

test('a migration that drizzle would skip is named, and nothing is applied', async () => {
	const { url, sql } = await useEmptyDatabase();
	await migrate(url, { folder: folderWith(OURS - 1) });
	// generated earlier on another branch, merged later: older than the newest that is applied
	const folder = copyFolder((entries) => {
		const [first, second] = entries;
		if (!first || !second) throw new Error('two migrations are needed');
		const late = { ...second, idx: 1, when: first.when + 1 };
		entries.splice(1, 0, late);
		entries.forEach((entry, idx) => (entry.idx = idx));
	});
	await expect(migrate(url, { folder })).rejects.toThrow(
		/another line of versions: its migration 2 is not "0001_/,
	);
	const [row] = await sql`SELECT count(*)::int AS n FROM nowboard.__drizzle_migrations`;
	expect(row).toEqual({ n: OURS - 1 });
});

describe('a database that a newer version has migrated', () => {
	/** What was asked before: as many as we know. It refuses every older build, and takes any history of the same length. */
	const naive = (known: readonly Migration[], applied: readonly Migration[]) =>
		known.length === applied.length ? undefined : 'another number of migrations';
	const history = (...hashes: string[]): Migration[] =>
		hashes.map((hash, index) => ({ when: index, hash, tag: `${index}` }));

	test('is used as it is, and the log says so', async () => {
		const { url } = await useEmptyDatabase();
		await migrate(url);
		const said: string[] = [];
		const warn = (message: string) => void said.push(message);
		expect(await migrate(url, { folder: folderWith(OURS - 2), warn })).toBe(0);
		expect(await migrate(url, { warn })).toBe(0);
		expect(said).toEqual([
			'The database has 2 migrations of a newer version of Nowboard; this one goes on with what it knows.',
		]);
	});

	test('is refused when it says that older ones must not use it', async () => {
		const { url, sql } = await useEmptyDatabase();
		await migrate(url);
		await sql`INSERT INTO nowboard.meta (key, value) VALUES (${NEEDS_KEY}, ${OURS})`;
		expect(await migrate(url)).toBe(0);
		await expect(migrate(url, { folder: folderWith(OURS - 1) })).rejects.toThrow(
			`at least ${OURS} migrations may use it, and this one knows ${OURS - 1}`,
		);
	});

	test('is refused when a migration that we know is another one there', async () => {
		const { url, sql } = await useEmptyDatabase();
		await migrate(url);
		await sql`UPDATE nowboard.__drizzle_migrations SET hash = 'edited' WHERE id = 2`;
		await expect(migrate(url)).rejects.toThrow(
			/its migration 2 is not "0001_\w+" as it is here \(its file has changed/,
		);
	});

	test.each([
		['the same', history('a', 'b'), history('a', 'b'), true, true],
		['behind us', history('a', 'b'), history('a'), true, false],
		['ahead of us', history('a'), history('a', 'b'), true, false],
		['new', history('a'), [], true, false],
		['another', history('a', 'b'), history('a', 'x'), false, true],
		['another, and longer', history('a', 'b'), history('a', 'x', 'y'), false, false],
	])('%s: (control) the number alone says something else', (_, known, applied, ours, number) => {
		expect(findDifference(known, applied) === undefined).toBe(ours);
		expect(naive(known, applied) === undefined).toBe(number);
	});
});

test('a missing folder says where it was looked for', async () => {
	await expect(migrate('postgres://localhost/x', { folder: '/nowhere' })).rejects.toThrow(
		/there is no .*nowhere.*_journal\.json/,
	);
});

test('an instance that hangs in its migration is named, not waited for without end', async () => {
	const { url, sql } = await useEmptyDatabase();
	await sql`SELECT 1`;
	const held = await sql.reserve();
	await held`SELECT pg_advisory_lock(${'7957710331246113380'}::bigint)`;
	await expect(migrate(url, { lockTimeoutMs: 100 })).rejects.toThrow(/Another process has been/);
	held.release();
});
