/**
 * A Postgres of a test's own whose files can be copied while it is stopped: what a standby, a restore or a clone begins as.
 * A copy is the same cluster to Postgres (same system identifier, same password) on a port of its own.
 */
import { chmodSync, chownSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/process/ports';
import {
	startPostgres,
	type RunningPostgres,
	type StopMode,
} from '../../scripts/postgres/embedded';
import { findAccount } from '../../scripts/postgres/account';
import { connect } from '../../src/lib/server/db/connect';
import { migrate } from '../../src/lib/server/migrations/migrate';
import { findTestBinaries } from './binaries';
import { makeTemporaryFolder } from './server';
import { databaseUrl } from './template';

export type Cluster = {
	port: number;
	/** of the migrated database, as superuser; `port` may be another one, of a proxy */
	url: (port?: number) => string;
	/** @param settings as in postgresql.conf, for this start */
	start: (settings?: Record<string, string | number>) => Promise<void>;
	/** `immediate` is a crash */
	stop: (mode?: StopMode) => Promise<void>;
	/** A stopped copy; this one must be stopped. */
	copy: () => Promise<Cluster>;
	/** Makes the next start a standby's, or a recovery. */
	signal: (kind: 'standby' | 'recovery') => void;
	/** Copies the log of another cluster's writes beside what is here. */
	takeLogOf: (other: Cluster) => void;
	data: () => string;
	/** stops it and removes the files; safe to call twice */
	drop: () => Promise<void>;
};

/** Killing a process leaves what it wrote with the system, so nothing here needs a disk that keeps its word. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: 60 };
const DATABASE = 'nowboard';

/** A new one with a migrated database, stopped. Takes a few seconds; copies take less than one. */
export async function createCluster(): Promise<Cluster> {
	const cluster = await toCluster(makeTemporaryFolder());
	try {
		await cluster.start();
		const admin = connect(databaseUrl(cluster.url(), 'postgres'), { max: 1 });
		await admin`create database ${admin(DATABASE)}`;
		await admin.end();
		await migrate(cluster.url());
		await cluster.stop();
		return cluster;
	} catch (error) {
		await cluster.drop();
		throw error;
	}
}

async function toCluster(dataDir: string): Promise<Cluster> {
	const port = await freePort();
	const { uid, gid } = findAccount();
	let server: RunningPostgres | undefined;
	let adminUrl = '';
	const folder = () => readdirSync(dataDir).find((name) => /^pg\d+$/.test(name)) as string;
	const data = () => join(dataDir, folder(), 'data');

	function give(path: string) {
		if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
	}
	function giveAll(root: string) {
		give(root);
		for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }))
			give(join(entry.parentPath, entry.name));
	}

	return {
		port,
		data,
		url: (to = port) => {
			const url = new URL(databaseUrl(adminUrl, DATABASE));
			url.port = String(to);
			return url.href;
		},
		async start(settings = {}) {
			server = await startPostgres({
				dataDir,
				port,
				binaries: findTestBinaries(),
				settings: { ...SETTINGS, ...settings },
			});
			adminUrl = server.url;
		},
		stop: async (mode = 'fast') => server?.stop(mode),
		async copy() {
			const to = makeTemporaryFolder();
			const copied = join(to, folder());
			cpSync(join(dataDir, folder()), copied, { recursive: true });
			giveAll(copied);
			chmodSync(join(copied, 'data'), 0o700);
			return toCluster(to);
		},
		signal(kind) {
			const path = join(data(), `${kind}.signal`);
			writeFileSync(path, '');
			give(path);
		},
		takeLogOf(other) {
			const log = join(data(), 'pg_wal');
			cpSync(join(other.data(), 'pg_wal'), log, { recursive: true, force: true });
			giveAll(log);
		},
		async drop() {
			await server?.stop('immediate');
			rmSync(dataDir, { recursive: true, force: true });
		},
	};
}
