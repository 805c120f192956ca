/** What the short database commands share: a database, some work, a clean end, an exit code that says how it went. */
import { tellFailure } from './tell-failure';
import { joinDatabase } from '../postgres/local-database';

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
