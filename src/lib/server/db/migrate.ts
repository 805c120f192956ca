/**
 * Brings a database to the schema of `drizzle/`: all pending migrations in one transaction, under a lock,
 * so that any number of instances may start at once. Needs a direct connection: behind a transaction pooler
 * a session lock locks nothing. What a newcomer gets wrong: drizzle's migrator compares one number only and
 * silently skips a migration that was generated before the newest applied one; hence both checks here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { connect, type Sql } from './connect';

/** "nowboard" in ASCII; any constant does that nobody else locks. */
const LOCK_KEY = '7957710331246113380';
/** Long enough for another instance to build an index, short enough to notice one that hangs. */
const LOCK_TIMEOUT_MS = 5 * 60_000;
/** SQLSTATE of a lock_timeout that passed. */
const LOCK_NOT_AVAILABLE = '55P03';

export type JournalEntry = { idx: number; when: number; tag: string };

export type MigrateOptions = {
	/** the folder with the SQL files and `meta/_journal.json`; relative to the working directory */
	folder?: string;
	lockTimeoutMs?: number;
};

/** Returns how many migrations were applied by this call. Throws when database and folder do not agree afterwards. */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<number> {
	const folder = resolve(options.folder ?? 'drizzle');
	const journal = readJournal(folder);
	const problem = findJournalProblem(journal);
	if (problem) throw new Error(`${join(folder, 'meta', '_journal.json')}: ${problem}`);

	// one connection that is never replaced: the lock belongs to it
	const client = connect(url, { max: 1, idleTimeout: null, maxLifetime: null, prepare: false });
	try {
		await lock(client, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
		const before = await readApplied(client);
		await runMigrations(drizzle({ client }), { migrationsFolder: folder });
		const applied = await readApplied(client);
		assertSame(journal, applied);
		return applied.length - before.length;
	} finally {
		// closing the connection frees the lock
		await client.end({ timeout: 5 });
	}
}

/** Why drizzle's migrator would skip or confuse migrations of this journal, or undefined. */
export function findJournalProblem(entries: JournalEntry[]): string | undefined {
	for (const [position, entry] of entries.entries()) {
		if (entry.idx !== position) {
			return `"${entry.tag}" has idx ${entry.idx}, and idx must count up without holes (${position}).`;
		}
		const previous = entries[position - 1];
		if (previous && entry.when <= previous.when) {
			return (
				`"${entry.tag}" was generated before "${previous.tag}" (when ${entry.when} ≤ ${previous.when}), and ` +
				'would be skipped where the latter is applied. Generate it again.'
			);
		}
	}
	return undefined;
}

export function readJournal(folder: string): JournalEntry[] {
	const path = join(folder, 'meta', '_journal.json');
	if (!existsSync(path)) {
		throw new Error(
			`The migrations are missing: there is no ${path}. Start Nowboard in the folder that holds drizzle/.`,
		);
	}
	const journal: { entries: JournalEntry[] } = JSON.parse(readFileSync(path, 'utf8'));
	return journal.entries;
}

async function lock(client: Sql, timeoutMs: number): Promise<void> {
	await client`SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', ${`${timeoutMs}ms`}, false)`;
	try {
		await client`SELECT pg_advisory_lock(${LOCK_KEY}::bigint)`;
	} catch (cause) {
		if (!(cause instanceof postgres.PostgresError && cause.code === LOCK_NOT_AVAILABLE))
			throw cause;
		throw new Error(
			`Another process has been migrating this database for ${timeoutMs / 1000} s. Wait for it, or end it.`,
			{ cause },
		);
	}
}

/** `when` of the migrations that the database says it has, oldest first. */
export async function readApplied(client: Sql): Promise<number[]> {
	const [found] =
		await client`SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS exists`;
	if (!found?.exists) return [];
	const rows =
		await client`SELECT created_at::text AS when FROM drizzle.__drizzle_migrations ORDER BY created_at`;
	return rows.map((row) => Number(row.when));
}

function assertSame(journal: JournalEntry[], applied: number[]): void {
	const skipped = journal.filter((entry) => !applied.includes(entry.when));
	if (skipped.length > 0) {
		throw new Error(
			`Migrations were skipped: ${skipped.map((entry) => entry.tag).join(', ')}. The database had newer ones already.`,
		);
	}
	if (applied.length !== journal.length) {
		throw new Error(
			`The database has ${applied.length} migrations and this version of Nowboard knows ${journal.length}: ` +
				'the database was migrated by a newer version. Start that one.',
		);
	}
}
