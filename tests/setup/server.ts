/** The Postgres that tests run on: TEST_DATABASE_URL, or one of `binaries.ts` in a temporary folder that is removed again. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../scripts/postgres/embedded';
import { findTestBinaries } from './binaries';

export type TestServer = {
	adminUrl: string;
	/** its data goes with it: databases need not be dropped */
	throwAway: boolean;
	stop: () => Promise<void>;
};

/** Fast and forgetful: nothing is meant to outlive the run. */
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const MAX_CONNECTIONS = 300;

export async function provideServer(): Promise<TestServer> {
	const given = process.env.TEST_DATABASE_URL;
	if (given) return { adminUrl: given, throwAway: false, stop: async () => {} };

	const folder = makeTemporaryFolder();
	const remove = () => rmSync(folder, { recursive: true, force: true });
	try {
		const settings = { ...NOT_DURABLE, max_connections: MAX_CONNECTIONS };
		const server = await startPostgres({
			dataDir: folder,
			settings,
			binaries: findTestBinaries(),
		});
		const stop = async () => {
			await server.stop('immediate');
			remove();
		};
		return { adminUrl: server.url, throwAway: true, stop };
	} catch (error) {
		remove();
		throw error;
	}
}

/** A folder that the account which Postgres runs as may enter too. */
export function makeTemporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-'));
	chmodSync(folder, 0o755);
	return folder;
}
