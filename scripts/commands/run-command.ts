/** What the short database commands share: a database, some work, a clean end, an exit code that says how it went. */
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { findLimits } from '../../src/lib/server/db/limits';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { joinDatabase } from '../postgres/local-database';
import { tellFailure } from './tell-failure';

/** In the database of DATABASE_URL, or else in the embedded one, which is started for it. Exits with 1 when the work fails. */
export async function withDatabase(
	work: (url: string, schema: string) => Promise<void>,
): Promise<void> {
	try {
		const database = await joinDatabase('nowboard');
		try {
			await work(database.url, database.schema);
		} catch (error) {
			console.error(await tellFailure(error, database.url, database.schema));
			process.exitCode = 1;
		} finally {
			await database.stop(false);
		}
	} catch (error) {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	}
}

/** The same with the newest tables, and one connection whose statements take as long as they take. */
export function withTables(work: (sql: Sql) => Promise<void>): Promise<void> {
	return withDatabase(async (url, schema) => {
		await migrate(process.env.DATABASE_DIRECT_URL || url, {
			schema,
			folder: process.env.MIGRATIONS_DIR || 'drizzle',
		});
		const sql = connect(url, { max: 1, schema, limits: await findLimits(url, '0') });
		try {
			await work(sql);
		} finally {
			await sql.end({ timeout: 5 });
		}
	});
}
