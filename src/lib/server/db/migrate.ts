/**
 * Brings a database to the schema of `drizzle/`: all pending migrations in one transaction, under a lock,
 * so that any number of instances may start at once. Needs a direct connection: behind a transaction pooler
 * a session lock locks nothing. What a newcomer gets wrong: drizzle's migrator compares one number only and
 * silently skips a migration that was generated before the newest applied one; hence the checks here. A database that
 * is ahead of this version is used as it is (docs/decisions/0013-older-build-newer-schema.md).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
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

/**
 * Row of `meta` that a migration writes which older versions must not meet: how many migrations a version has to know.
 * Without it, what is newer is taken for an addition.
 */
export const NEEDS_KEY = 'needs_migrations';

export type JournalEntry = { idx: number; when: number; tag: string };

/** A migration as the folder has it, or as the database says it was applied: `hash` is the SHA-256 of its file. */
export type Migration = { when: number; hash: string; tag?: string };

export type MigrateOptions = {
	/** the folder with the SQL files and `meta/_journal.json`; relative to the working directory */
	folder?: string;
	lockTimeoutMs?: number;
	/** told when the database is ahead of this version, which goes on */
	warn?: (message: string) => void;
};

/** Returns how many migrations were applied by this call. Throws, before it changes anything, when database and folder do not agree. */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<number> {
	const folder = resolve(options.folder ?? 'drizzle');
	const journal = readJournal(folder);
	const problem = findJournalProblem(journal);
	if (problem) throw new Error(`${join(folder, 'meta', '_journal.json')}: ${problem}`);

	// one connection that is never replaced: the lock belongs to it
	const client = connect(url, { max: 1, idleTimeout: null, maxLifetime: null, prepare: false });
	try {
		await lock(client, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
		const applied = await readApplied(client);
		const known = readMigrations(folder, journal);
		const refusal = findDifference(known, applied) ?? findNeed(known, await readNeed(client));
		if (refusal) throw new Error(refusal);
		const ahead = applied.length - known.length;
		if (ahead > 0)
			options.warn?.(
				`The database has ${ahead} ${ahead === 1 ? 'migration' : 'migrations'} of a newer version of Nowboard; this one goes on with what it knows.`,
			);
		await runMigrations(drizzle({ client }), { migrationsFolder: folder });
		return Math.max(0, -ahead);
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

function readMigrations(folder: string, journal: JournalEntry[]): Migration[] {
	return readMigrationFiles({ migrationsFolder: folder }).map(({ folderMillis, hash }, idx) => ({
		when: folderMillis,
		hash,
		tag: journal[idx]?.tag ?? '',
	}));
}

/** The migrations that the database says it has, oldest first. */
export async function readApplied(client: Sql): Promise<Migration[]> {
	const [found] =
		await client`SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS exists`;
	if (!found?.exists) return [];
	const rows = await client`
		SELECT created_at::text AS when, hash FROM drizzle.__drizzle_migrations ORDER BY created_at, id`;
	return rows.map(({ when, hash }) => ({ when: Number(when), hash }));
}

/** How many migrations a version has to know, 0: nobody asks. */
async function readNeed(client: Sql): Promise<number> {
	const [found] = await client`SELECT to_regclass('meta') IS NOT NULL AS exists`;
	if (!found?.exists) return 0;
	const [need] = await client`SELECT value FROM meta WHERE key = ${NEEDS_KEY}`;
	return Number(need?.value ?? 0);
}

/** Why the two are not one history, one of which has come further; or undefined. Both oldest first. */
export function findDifference(
	known: readonly Migration[],
	applied: readonly Migration[],
): string | undefined {
	for (const [position, ours] of known.entries()) {
		const its = applied[position];
		if (!its) return undefined;
		if (its.when === ours.when && its.hash === ours.hash) continue;
		const edited = its.when === ours.when;
		return (
			`The database was migrated by another line of versions: its migration ${position + 1} is not "${ours.tag}" ` +
			(edited
				? `as it is here (its file has changed since it was applied: ${its.hash.slice(0, 8)}…, here ${ours.hash.slice(0, 8)}…). `
				: `(it is from ${new Date(its.when).toISOString()}, that one from ${new Date(ours.when).toISOString()}). `) +
			'Start the version that migrated it, or restore a backup from before.'
		);
	}
	return undefined;
}

function findNeed(known: readonly Migration[], need: number): string | undefined {
	if (need <= known.length) return undefined;
	return (
		`The database has been changed by a newer version so that only versions with at least ${need} migrations may use it, ` +
		`and this one knows ${known.length}. Start a newer one.`
	);
}
