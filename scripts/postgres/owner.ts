/**
 * One supervisor for each data folder: `owner.json` names the process that runs Postgres there. A killed
 * process leaves its file behind; the next one notices and takes over.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A process id is used again by the system; together with the time of its start it is not. */
type Owner = { pid: number; started: string | undefined };

/** Each one is lost to another process that claims at the same moment. */
const CLAIM_ATTEMPTS = 100;

/** Takes the folder for this process; returns how to give it back. Throws when a living process has it. */
export function claimFolder(folder: string): () => void {
	const path = join(folder, 'owner.json');
	const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner);
	for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
		try {
			writeFileSync(path, mine, { flag: 'wx' });
			return () => {
				if (read(path) === mine) rmSync(path, { force: true });
			};
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
		const text = read(path);
		if (text === undefined) continue;
		const owner = parseOwner(text);
		if (owner && lives(owner)) {
			throw new Error(
				`Postgres on ${folder} is already run by process ${owner.pid}. Stop that one, or set DATA_DIR to another folder.`,
			);
		}
		takeAway(path, text);
	}
	throw new Error(
		`${path} can be neither read nor replaced. Remove it when no Postgres runs there.`,
	);
}

/** True while a living process has the folder. */
export function hasOwner(folder: string): boolean {
	const owner = parseOwner(read(join(folder, 'owner.json')) ?? '');
	return owner !== undefined && lives(owner);
}

/** Removes the dead owner's file, and no other: a third process may just have replaced it. */
function takeAway(path: string, dead: string): void {
	const aside = `${path}.${process.pid}`;
	try {
		renameSync(path, aside);
	} catch {
		return;
	}
	const taken = read(aside);
	rmSync(aside, { force: true });
	if (taken !== undefined && taken !== dead) {
		try {
			writeFileSync(path, taken, { flag: 'wx' });
		} catch {
			// another process has the folder by now, and Postgres's own lock file decides between them
		}
	}
}

function lives(owner: Owner): boolean {
	return isAlive(owner.pid) && startOf(owner.pid) === owner.started;
}

/** A zombie process (in a container without init) is not alive. */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
	return process.platform !== 'linux' || readStat(pid)?.[0] !== 'Z';
}

/** When the process started, in whatever form the system tells; undefined when it does not. */
function startOf(pid: number): string | undefined {
	try {
		if (process.platform === 'linux') return readStat(pid)?.[19];
		if (process.platform === 'win32') return undefined;
		return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
	} catch {
		return undefined;
	}
}

/** The fields of Linux's stat from the third on: state, …, start time (22nd). The name before may contain anything. */
function readStat(pid: number): string[] | undefined {
	const stat = read(`/proc/${pid}/stat`);
	return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function parseOwner(text: string): Owner | undefined {
	try {
		const value = JSON.parse(text) as Partial<Owner>;
		return typeof value.pid === 'number' ? { pid: value.pid, started: value.started } : undefined;
	} catch {
		return undefined;
	}
}

function read(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}
