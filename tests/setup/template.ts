/** Databases for tests: a migrated template, and copies of it. Takes URLs, so that vitest and Playwright both use it. */
import { randomBytes } from 'node:crypto';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { migrate } from '../../src/lib/server/migrations/migrate';

/** The URL of another database on the same server. */
export function databaseUrl(serverUrl: string, database: string): string {
	const url = new URL(serverUrl);
	url.pathname = `/${database}`;
	return url.href;
}

export async function createTemplate(adminUrl: string, name: string): Promise<void> {
	await withAdmin(adminUrl, (admin) => admin`CREATE DATABASE ${admin(name)}`);
	await migrate(databaseUrl(adminUrl, name));
	// a template must have no connections while it is copied
	await withAdmin(
		adminUrl,
		(admin) => admin`ALTER DATABASE ${admin(name)} ALLOW_CONNECTIONS false`,
	);
}

/** A copy of the template, or an empty database without one; returns its URL. */
export async function copyDatabase(adminUrl: string, template?: string): Promise<string> {
	const name = `${template ?? 'nowboard_test'}_${randomBytes(5).toString('hex')}`;
	await withAdmin(adminUrl, (admin) =>
		template
			? admin`CREATE DATABASE ${admin(name)} TEMPLATE ${admin(template)}`
			: admin`CREATE DATABASE ${admin(name)}`,
	);
	return databaseUrl(adminUrl, name);
}

/** Closes all connections. */
export async function dropDatabase(adminUrl: string, url: string): Promise<void> {
	const name = new URL(url).pathname.slice(1);
	await withAdmin(adminUrl, (admin) => admin`DROP DATABASE IF EXISTS ${admin(name)} WITH (FORCE)`);
}

/** Drops the template and every copy that a test left behind. */
export async function dropDatabases(adminUrl: string, prefix: string): Promise<void> {
	await withAdmin(adminUrl, async (admin) => {
		const rows = await admin`SELECT datname FROM pg_database WHERE starts_with(datname, ${prefix})`;
		for (const { datname } of rows) {
			await admin`DROP DATABASE IF EXISTS ${admin(datname)} WITH (FORCE)`;
		}
	});
}

async function withAdmin<T>(adminUrl: string, work: (admin: Sql) => Promise<T>): Promise<T> {
	const admin = connect(adminUrl, { max: 1, prepare: false, applicationName: 'nowboard tests' });
	try {
		return await work(admin);
	} finally {
		await admin.end({ timeout: 5 });
	}
}
