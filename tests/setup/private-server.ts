/** A Postgres of one's own, for what crashes or restarts it; needs no test runner. */
import { rmSync } from 'node:fs';
import { freePort } from '../../scripts/process/ports';
import { startPostgres, type StopMode } from '../../scripts/postgres/embedded';
import { connect } from '../../src/lib/server/db/connect';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { findTestBinaries } from './binaries';
import { makeTemporaryFolder } from './server';
import { databaseUrl } from './template';

export type PrivateServer = {
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
): Promise<PrivateServer> {
	const dataDir = makeTemporaryFolder();
	const options = {
		dataDir,
		binaries: findTestBinaries(),
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
