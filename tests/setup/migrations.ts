/** Databases without a schema, and folders of migrations as another build has them; they end with the test. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import type { JournalEntry } from '../../src/lib/server/migrations/journal';
import { copyDatabase, dropDatabase } from './template';

export async function useEmptyDatabase(): Promise<{ url: string; sql: Sql }> {
	const adminUrl = inject('adminUrl');
	const url = await copyDatabase(adminUrl);
	const sql = connect(url, { max: 2 });
	onTestFinished(async () => {
		await sql.end({ timeout: 1 });
		await dropDatabase(adminUrl, url);
	});
	return { url, sql };
}

/** A copy of our migrations. @param change changes the journal in place */
export function copyFolder(change: (entries: JournalEntry[], folder: string) => void): string {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-migrations-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	cpSync('drizzle', folder, { recursive: true });
	const path = join(folder, 'meta', '_journal.json');
	const journal = JSON.parse(readFileSync(path, 'utf8')) as { entries: JournalEntry[] };
	change(journal.entries, folder);
	writeFileSync(path, JSON.stringify(journal));
	return folder;
}

/** The migrations as a build has them that knows the first `count`. */
export const folderWith = (count: number) => copyFolder((entries) => void entries.splice(count));
