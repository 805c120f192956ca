/**
 * The migrations of a folder, and the journal of those that a database has. The journal is a table of ours, in our schema: drizzle's
 * own, `drizzle.__drizzle_migrations`, is shared by every drizzle application in the database, and each takes the newest date in it
 * for its own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type { Sql, TransactionSql } from '../db/connect';

/** As drizzle calls it. */
export const JOURNAL_TABLE = '__drizzle_migrations';

export type JournalEntry = { idx: number; when: number; tag: string };

/** A migration as the database says it was applied: `hash` is the SHA-256 of its file. */
export type Migration = { when: number; hash: string; tag?: string };
/** A migration as the folder has it. */
export type KnownMigration = Migration & { statements: readonly string[] };

/** The migrations that the folder lists. @throws when it has no list */
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

/** @throws when the journal is not in order */
export function readMigrations(folder: string): KnownMigration[] {
	const journal = readJournal(folder);
	const problem = findJournalProblem(journal);
	if (problem) throw new Error(`${join(folder, 'meta', '_journal.json')}: ${problem}`);
	return readMigrationFiles({ migrationsFolder: folder }).map(
		({ folderMillis, hash, sql }, idx) => ({
			when: folderMillis,
			hash,
			tag: journal[idx]?.tag ?? '',
			statements: sql,
		}),
	);
}

/** Why the journal is not one line of history, or undefined. */
export function findJournalProblem(entries: JournalEntry[]): string | undefined {
	for (const [position, entry] of entries.entries()) {
		if (entry.idx !== position) {
			return `"${entry.tag}" has idx ${entry.idx}, and idx must count up without holes (${position}).`;
		}
		const previous = entries[position - 1];
		if (previous && entry.when <= previous.when) {
			return (
				`"${entry.tag}" was generated before "${previous.tag}" (when ${entry.when} ≤ ${previous.when}). ` +
				'Generate it again.'
			);
		}
	}
	return undefined;
}

/** The migrations that the database says it has, oldest first. */
export async function readApplied(sql: Sql): Promise<Migration[]> {
	if (!(await hasTable(sql, sql.schema.name, JOURNAL_TABLE))) return [];
	const rows = await sql`
		select created_at::text as when, hash from ${sql.schema}.${sql(JOURNAL_TABLE)} order by created_at, id`;
	return rows.map(({ when, hash }) => ({ when: Number(when), hash }));
}

/** Asks the catalogue, which needs no rights. */
export async function hasTable(
	sql: Sql | TransactionSql,
	schema: string,
	table: string,
): Promise<boolean> {
	const found = await sql`
		select from pg_catalog.pg_class where relname = ${table}
			and relnamespace = (select oid from pg_catalog.pg_namespace where nspname = ${schema})`;
	return found.length > 0;
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
			'Start the version that migrated it.'
		);
	}
	return undefined;
}
