/**
 * A real Postgres for `demo`, `dev` and `test`, run and stopped by the calling process: loopback only, a
 * random password, data in `<dataDir>/pg<major>/`. It runs in a session of its own: Ctrl-C reaches every
 * process of a terminal, and would end the database before the web server has finished.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { findAccount, makeDataFolder, possibleFolders } from './account';
import { findBinaries, program, reachableBinaries, type Binaries } from './binaries';
import { openCluster, stopOrphan, type Cluster } from './cluster';
import { explainError, explainFailure } from './startup-errors';
import { freePort, isFree } from '../process/ports';
import { stopWithUs } from '../process/stop-with-us';
import { claimFolder, hasOwner } from './owner';

export type PostgresOptions = {
	/** holds one folder for each major version; made when missing */
	dataDir: string;
	/** server settings, as in postgresql.conf */
	settings?: Record<string, string | number>;
	/** default: the port of the last time if it is free, else any free one */
	port?: number;
	/** default: those that npm installed */
	binaries?: Binaries;
	log?: (line: string) => void;
};

/** `fast`: running statements are cut off, everything committed is on disk. `immediate`: like a power cut. */
export type StopMode = 'fast' | 'immediate';

export type RunningPostgres = {
	/** superuser, database `postgres` */
	url: string;
	port: number;
	pid: number;
	/** resolves when the server has ended, for whatever reason */
	exited: Promise<void>;
	/** resolves when the server has ended; safe to call twice */
	stop: (mode?: StopMode) => Promise<void>;
};

/** Recovery after a crash is part of a start and may take a while. */
const READY_DEADLINE_MS = 120_000;
const READY_INTERVAL_MS = 25;
const STOP_DEADLINE_MS = 30_000;
const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Throws with a sentence that says what to do: no binaries for this system, a full disk, another owner … */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
	const log = options.log ?? (() => {});
	const account = findAccount();
	const binaries = reachableBinaries(options.binaries ?? findBinaries(), account);
	const wanted = join(options.dataDir, `pg${binaries.major}`);
	let folder = wanted;
	let release = () => {};
	try {
		folder = makeDataFolder(wanted, account, log);
		release = claimFolder(folder);
		if (!existsSync(join(folder, 'data'))) mentionOtherMajors(options.dataDir, binaries.major, log);
		const context = { binaries, account, log };
		await stopOrphan(join(folder, 'data'), context);
		const settings = { ...ALWAYS, ...options.settings };
		const cluster = await openCluster(folder, settings.fsync !== 'off', context);
		const port = await chooseDatabasePort(cluster, options.port);
		const logFile = join(folder, 'postgres.log');
		const logFd = openSync(logFile, 'w');
		const args = ['-D', cluster.data, '-p', String(port)];
		for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
		const server = spawn(program(binaries, 'postgres'), args, {
			uid: account.uid,
			gid: account.gid,
			cwd: '/',
			env: { ...process.env, LC_ALL: 'C' },
			stdio: ['ignore', logFd, logFd],
			detached: true,
			windowsHide: true,
		});
		closeSync(logFd);
		return await supervise(server, { cluster, port, logFile, release });
	} catch (error) {
		release();
		throw explainError(`Postgres could not be started in ${folder}.`, error);
	}
}

/** New data beside old data looks as if everything were lost. */
function mentionOtherMajors(dataDir: string, major: number, log: (line: string) => void): void {
	for (const name of readdirSync(dataDir)) {
		if (!/^pg\d+$/.test(name) || name === `pg${major}`) continue;
		const old = possibleFolders(join(dataDir, name)).find((at) => existsSync(join(at, 'data')));
		if (!old) continue;
		log(
			`${old} holds data of another Postgres, which this one (Postgres ${major}) cannot read. It stays as it is, and new ` +
				'data begins beside it. To take the old data along, dump it with its own version and restore it here.',
		);
	}
}

const ALWAYS: Record<string, string | number> = {
	listen_addresses: '127.0.0.1',
	// a socket's path may have 107 bytes, and the usual folders may be closed to us
	unix_socket_directories: '',
	timezone: 'UTC',
	log_timezone: 'UTC',
};

type Supervised = { cluster: Cluster; port: number; logFile: string; release: () => void };

async function supervise(server: ChildProcess, context: Supervised): Promise<RunningPostgres> {
	const { cluster, port, logFile, release } = context;
	// the last resort when this process ends without having called stop()
	const onExit = () => server.kill(SIGNALS.fast);
	process.once('exit', onExit);
	// on Windows the next start on the same folder stops what is left
	const unwatch = stopWithUs(server.pid, 'INT');
	let ended = false;
	let startError: Error | undefined;
	const exited = new Promise<void>((resolve) => {
		const end = () => {
			ended = true;
			process.off('exit', onExit);
			unwatch();
			release();
			resolve();
		};
		server.once('error', (error) => {
			startError = error;
			end();
		});
		server.once('exit', end);
	});

	async function stop(mode: StopMode = 'fast'): Promise<void> {
		if (!ended) server.kill(SIGNALS[mode]);
		const timer = setTimeout(() => server.kill('SIGKILL'), STOP_DEADLINE_MS);
		await exited;
		clearTimeout(timer);
	}

	const url = toUrl(cluster.password, port);
	const answered = await waitUntilReady(url, () => ended);
	if (!answered) {
		await stop('immediate');
		const output = startError?.message ?? readFileSync(logFile, 'utf8');
		throw new Error(explainFailure(`Postgres did not start on port ${port}.`, output));
	}
	writeFileSync(join(cluster.folder, 'port'), String(port));
	return { url, port, pid: server.pid ?? 0, exited, stop };
}

/** True once a query is answered; false when the server has ended or the deadline has passed. */
async function waitUntilReady(url: string, hasEnded: () => boolean): Promise<boolean> {
	const deadline = Date.now() + READY_DEADLINE_MS;
	while (!hasEnded() && Date.now() < deadline) {
		const sql = postgres(url, {
			max: 1,
			connect_timeout: 5,
			fetch_types: false,
			onnotice: () => {},
		});
		try {
			await sql`SELECT 1`;
			return true;
		} catch {
			await new Promise((resolve) => setTimeout(resolve, READY_INTERVAL_MS));
		} finally {
			await sql.end({ timeout: 1 });
		}
	}
	return false;
}

async function chooseDatabasePort(cluster: Cluster, wanted: number | undefined): Promise<number> {
	if (wanted !== undefined) {
		if (await isFree(wanted)) return wanted;
		throw new Error(`Postgres cannot have port ${wanted}: another program has it.`);
	}
	const file = join(cluster.folder, 'port');
	const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
	return last > 0 && (await isFree(last)) ? last : freePort();
}

/** The URL of the Postgres that another living process runs on `dataDir`, or undefined. */
export function findRunningPostgres(dataDir: string): string | undefined {
	const { major } = findBinaries();
	for (const folder of possibleFolders(join(dataDir, `pg${major}`))) {
		const [port, password] = ['port', 'password'].map((name) => join(folder, name));
		if (!port || !password || !existsSync(port) || !existsSync(password) || !hasOwner(folder))
			continue;
		return toUrl(readFileSync(password, 'utf8'), readFileSync(port, 'utf8'));
	}
	return undefined;
}

function toUrl(password: string, port: number | string): string {
	return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}
