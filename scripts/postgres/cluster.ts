/**
 * The files of one Postgres: making them, telling whole ones from half-made ones, and stopping a server that
 * was left behind on them. Starts nothing that stays.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from './account';
import { program, type Binaries } from './binaries';
import { explainFailure } from './startup-errors';
import { isAlive } from './owner';

export type Cluster = {
	/** ours: password, port, log and owner beside the data */
	folder: string;
	/** Postgres's own */
	data: string;
	password: string;
};

type Context = { binaries: Binaries; account: Account; log: (line: string) => void };

const STOP_DEADLINE_MS = 30_000;
const END_INTERVAL_MS = 5;
/** The first Postgres with locales of its own; those before need the system's. */
const BUILTIN_LOCALES = 17;

/** The cluster in `folder`, made when there is none. What was left half made is moved aside, never deleted. */
export async function openCluster(
	folder: string,
	durable: boolean,
	context: Context,
): Promise<Cluster> {
	const data = join(folder, 'data');
	const passwordFile = join(folder, 'password');
	if (existsSync(data) && !isWhole(data)) {
		const aside = `${data}.unfinished-${Date.now()}`;
		renameSync(data, aside);
		context.log(`The data in ${data} was never finished: it is now ${aside}, and made again.`);
	}
	if (existsSync(data)) {
		assertMajor(data, context.binaries.major);
		if (!existsSync(passwordFile)) {
			throw new Error(
				`${passwordFile} is missing, so no one can log in to ${data}. Restore it, or move ${folder} away to start over.`,
			);
		}
	} else {
		writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
		const { uid, gid } = context.account;
		if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid);
		await initialise(folder, data, passwordFile, durable, context);
	}
	return { folder, data, password: readFileSync(passwordFile, 'utf8').trim() };
}

/** Stops a server whose supervisor is gone: it would hold the port and the data for ever. */
export async function stopOrphan(data: string, { binaries, account, log }: Context): Promise<void> {
	const pid = readPid(data);
	if (pid === undefined || !isAlive(pid) || !servesFolder(pid, data)) return;
	log(`Stopping the Postgres (process ${pid}) that a killed process left behind.`);
	const stop = (mode: string, seconds: number) =>
		execFileSync(
			program(binaries, 'pg_ctl'),
			['stop', '-D', data, '-m', mode, '-w', '-t', String(seconds)],
			{
				uid: account.uid,
				gid: account.gid,
				cwd: '/',
				stdio: 'ignore',
			},
		);
	try {
		stop('fast', STOP_DEADLINE_MS / 1000);
	} catch {
		stop('immediate', STOP_DEADLINE_MS / 1000);
	}
	// pg_ctl waits for the file of the process id, which Postgres removes shortly before it ends
	for (const until = Date.now() + STOP_DEADLINE_MS; isAlive(pid) && Date.now() < until;)
		await pause(END_INTERVAL_MS);
}

async function initialise(
	folder: string,
	data: string,
	passwordFile: string,
	durable: boolean,
	{ binaries, account }: Context,
): Promise<void> {
	// made under another name and renamed: what is called `data` is whole
	const unfinished = join(folder, 'data.new');
	rmSync(unfinished, { recursive: true, force: true });
	const args = [
		...['-D', unfinished, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256'],
		// sorting by code point everywhere: containers lack locales, and systems disagree about them
		...(binaries.major >= BUILTIN_LOCALES
			? ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
			: ['--encoding=UTF8', '--locale=C.UTF-8']),
		...(durable ? [] : ['--no-sync']),
	];
	const initdb = spawn(program(binaries, 'initdb'), args, {
		uid: account.uid,
		gid: account.gid,
		cwd: '/',
		env: { ...process.env, LC_ALL: 'C' },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let output = '';
	initdb.stdout.on('data', (chunk: Buffer) => (output += chunk));
	initdb.stderr.on('data', (chunk: Buffer) => (output += chunk));
	const code = await new Promise<number | null>((resolve, reject) => {
		initdb.on('error', reject);
		initdb.on('close', resolve);
	});
	if (code !== 0)
		throw new Error(explainFailure(`Making the database files in ${folder} failed.`, output));
	renameSync(unfinished, data);
}

function isWhole(data: string): boolean {
	return existsSync(join(data, 'PG_VERSION')) && existsSync(join(data, 'global', 'pg_control'));
}

function assertMajor(data: string, major: number): void {
	const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
	if (found === String(major)) return;
	throw new Error(
		`${data} was written by Postgres ${found}, and this is Postgres ${major}, which cannot read it. ` +
			'Move it away to start over, or set DATABASE_URL to a Postgres of your own.',
	);
}

function readPid(data: string): number | undefined {
	const path = join(data, 'postmaster.pid');
	if (!existsSync(path)) return undefined;
	const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
	return pid > 0 ? pid : undefined;
}

/** Another process may have the id by now; the command line says whether it is this Postgres. */
function servesFolder(pid: number, data: string): boolean {
	if (process.platform === 'win32') return true;
	try {
		return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
			encoding: 'utf8',
		}).includes(data);
	} catch {
		return false;
	}
}
