/** Installations as versions before the schema of its own made them: tables in `public`, the journal in drizzle's schema. */
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { onTestFinished } from 'vitest';
import { readJournal } from '../../src/lib/server/migrations/journal';
import { folderWith } from './migrations';

/** Migrations that a version without a schema of its own can have: those before 0007_own_schema. */
export const OLD_MIGRATIONS = readJournal('drizzle').findIndex(
	({ tag }) => tag === '0007_own_schema',
);

/** Runs drizzle's own migrator, as those versions did and as any drizzle application does. */
export async function migrateAsDrizzle(url: string, migrationsFolder: string): Promise<void> {
	const client = postgres(url, { max: 1, onnotice: () => {} });
	try {
		await migrate(drizzle({ client }), { migrationsFolder });
	} finally {
		await client.end({ timeout: 5 });
	}
}

export const installOld = (url: string, count = OLD_MIGRATIONS) =>
	migrateAsDrizzle(url, folderWith(count));

/** The migrations of another drizzle application. @param when ms since 1970, of its one migration */
export function makeForeignMigrations(when: number): string {
	const folder = mkdtempSync(join(tmpdir(), 'foreign-migrations-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	mkdirSync(join(folder, 'meta'));
	const entries = [{ idx: 0, version: '7', when, tag: '0000_invoices', breakpoints: true }];
	writeFileSync(
		join(folder, 'meta', '_journal.json'),
		JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
	);
	writeFileSync(
		join(folder, '0000_invoices.sql'),
		'CREATE TABLE "invoices" ("id" serial PRIMARY KEY);',
	);
	return folder;
}
