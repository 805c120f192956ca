/** What the short database commands have in common: a database, some work, a clean end, an honest exit code. */
import { joinDatabase } from '../postgres/local-database';

export async function withDatabase(work: (url: string) => Promise<void>): Promise<void> {
	try {
		const database = await joinDatabase('nowboard');
		try {
			await work(database.url);
		} finally {
			await database.stop(false);
		}
	} catch (error) {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	}
}
