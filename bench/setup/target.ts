/**
 * What benches measure: `node build` in a process of its own, on an embedded Postgres that is as durable as in production
 * and thrown away afterwards; or DATABASE_URL's server, in the database it names.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/process/ports';
import { startPostgres } from '../../scripts/postgres/embedded';
import { connect } from '../../src/lib/server/db/connect';
import { makeTemporaryFolder } from '../../tests/setup/server';
import { databaseUrl } from '../../tests/setup/template';

export type Target = {
	url: string;
	databaseUrl: string;
	/** process id of the server, to read its CPU time */
	pid: number;
	/** of the database's first process; null when it is not ours */
	postgresPid: number | null;
	/** what it holds after a garbage collection: bytes, and what keeps its event loop alive, by kind */
	probe: () => Promise<{ heapUsed: number; resources: Record<string, number> }>;
	stop: () => Promise<void>;
};

export type Database = {
	url: string;
	/** of its first process; null when it is not ours */
	pid: number | null;
	stop: () => Promise<void>;
};

const READY_MS = 30_000;
const PROBE = new URL('./probe.js', import.meta.url).href;

/**
 * Starts it and waits until it is ready. Throws when there is no build.
 * @param given the database; it is stopped with the server
 * @param env further variables of the server
 * @param folder of the checkout whose build is started
 */
export async function startTarget(
	given?: Database,
	env: Record<string, string> = {},
	folder = '.',
): Promise<Target> {
	if (!existsSync(join(folder, 'build', 'index.js')))
		throw new Error(`build/index.js is missing in ${folder}: run "npm run build" there first.`);
	const database = given ?? (await provideDatabase());
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	// to look where time goes: BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=…'
	const flags = process.env.BENCH_NODE_FLAGS?.split(' ') ?? [];
	const server = spawn(process.execPath, [...flags, '--expose-gc', '--import', PROBE, 'build'], {
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
		cwd: folder,
		env: {
			...process.env,
			DATABASE_URL: database.url,
			PORT: String(port),
			HOST: '127.0.0.1',
			ORIGIN: url,
			DASHBOARD_PUBLIC: 'true',
			INGEST_OPEN: 'true',
			LOG_LEVEL: 'warn',
			...env,
		},
	});
	const exited = once(server, 'exit');
	const stop = async () => {
		server.kill('SIGTERM');
		await exited;
		await database.stop();
	};
	const deadline = Date.now() + READY_MS;
	while (!(await isReady(url))) {
		if (server.exitCode !== null || Date.now() > deadline) {
			await stop();
			throw new Error(`the server was not ready within ${READY_MS} ms`);
		}
		await pause(50);
	}
	const probe = async () => {
		const answer = once(server, 'message');
		server.send('probe');
		return (await answer)[0] as Awaited<ReturnType<Target['probe']>>;
	};
	return {
		url,
		databaseUrl: database.url,
		pid: server.pid as number,
		postgresPid: database.pid,
		probe,
		stop,
	};
}

async function isReady(url: string): Promise<boolean> {
	return fetch(`${url}/readyz`).then(
		(response) => response.ok,
		() => false,
	);
}

export async function provideDatabase(): Promise<Database> {
	const given = process.env.DATABASE_URL;
	if (given) return { url: given, pid: null, stop: async () => {} };
	const folder = makeTemporaryFolder();
	const server = await startPostgres({ dataDir: folder, settings: { max_connections: 200 } });
	const admin = connect(server.url, { max: 1 });
	await admin`create database bench`;
	await admin.end();
	return {
		url: databaseUrl(server.url, 'bench'),
		pid: server.pid,
		async stop() {
			await server.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
