/** Databases for tests under vitest's `node` project. Every call gives one of its own, migrated and empty. */
import { inject } from 'vitest';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { copyDatabase, dropDatabase } from './template';

export type TestDatabase = {
	url: string;
	/** a raw postgres.js client, ended by `drop` */
	sql: Sql;
	/** ends `sql`, closes other connections, removes the database; safe to call twice */
	drop: () => Promise<void>;
};

/**
 * Takes about 50 ms.
 * @param adminUrl the server, default: the one that all tests share
 * @param template a migrated database of it that is not in use
 */
export async function createDatabase(
	adminUrl = inject('adminUrl'),
	template = inject('template'),
): Promise<TestDatabase> {
	const url = await copyDatabase(adminUrl, template);
	const sql = connect(url, { applicationName: 'nowboard tests' });
	// a copy would share its epoch with every other copy
	await sql`SELECT nowboard.nowboard_renew_epoch()`;
	const drop = async () => {
		await sql.end({ timeout: 1 });
		await dropDatabase(adminUrl, url);
	};
	return { url, sql, drop };
}
