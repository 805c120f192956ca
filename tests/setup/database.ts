/** Databases for tests under vitest's `node` project. Every call gives one of its own, migrated and empty. */
import { rmSync } from 'node:fs';
import { inject } from 'vitest';
import { freePort } from '../../scripts/ports';
import { startPostgres, type StopMode } from '../../scripts/postgres';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { migrate } from '../../src/lib/server/db/migrate';
import { makeTemporaryFolder } from './server';
import { copyDatabase, databaseUrl, dropDatabase } from './template';

export type TestDatabase = {
	url: string;
	/** a raw postgres.js client, ended by `drop` */
	sql: Sql;
	/** ends `sql`, cuts whoever else is connected, removes the database; safe to call twice */
	drop: () => Promise<void>;
};

/** Takes about 50 ms. */
export async function createDatabase(): Promise<TestDatabase> {
	const adminUrl = inject('adminUrl');
	const url = await copyDatabase(adminUrl, inject('template'));
	const sql = connect(url, { applicationName: 'nowboard tests' });
	// a copy would share its epoch with every other copy
	await sql`SELECT nowboard_renew_epoch()`;
	const drop = async () => {
		await sql.end({ timeout: 1 });
		await dropDatabase(adminUrl, url);
	};
	return { url, sql, drop };
}

export type TestServer = {
	/** a migrated database; the same URL across restarts */
	url: string;
	/** `immediate` is a crash: what was not yet written to the log is gone */
	stop: (mode?: StopMode) => Promise<void>;
	start: () => Promise<void>;
	/** stops the server and removes its data; safe to call twice */
	drop: () => Promise<void>;
};

/** A private Postgres, as durable as in production, for tests that crash or restart it. Takes a few seconds. */
export async function startServer(
	settings: Record<string, string | number> = {},
): Promise<TestServer> {
	const dataDir = makeTemporaryFolder();
	const options = {
		dataDir,
		port: await freePort(),
		settings: { max_connections: 100, ...settings },
	};
	let server = await startPostgres(options);
	const url = databaseUrl(server.url, 'nowboard');
	const stop = (mode: StopMode = 'fast') => server.stop(mode);
	const start = async () => {
		server = await startPostgres(options);
	};
	const drop = async () => {
		await stop('immediate');
		rmSync(dataDir, { recursive: true, force: true });
	};
	try {
		const admin = connect(server.url, { max: 1 });
		await admin`CREATE DATABASE nowboard`;
		await admin.end();
		await migrate(url);
		return { url, stop, start, drop };
	} catch (error) {
		await drop();
		throw error;
	}
}
