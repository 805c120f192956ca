/**
 * Makes a version: package.json, package-lock.json and the changelog's [Unreleased] section, which moves under the version and
 * its date. Changes files of a clean work tree only; commit, tag and push are the caller's.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE =
	'Usage: npm run release -- --version <major.minor.patch> [--date <yyyy-mm-dd>]';

export type Release = { version: string; date: string };
export type Texts = { package: string; lock: string; changelog: string };

const FILES = {
	package: 'package.json',
	lock: 'package-lock.json',
	changelog: 'CHANGELOG.md',
} as const;

/** @throws with USAGE when an argument is missing or malformed */
export function parseRelease(args: readonly string[], today: string): Release {
	const options = { version: { type: 'string' }, date: { type: 'string' } } as const;
	const { version = '', date = today } = parseArgs({ args: [...args], options }).values;
	if (!/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(version))
		throw new Error(`--version "${version}" must be three numbers, as in 1.2.3.\n${USAGE}`);
	const day = new Date(`${date}T00:00:00Z`);
	if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date)
		throw new Error(`--date "${date}" must be a day, as in 2026-11-30.\n${USAGE}`);
	return { version, date };
}

/** The three texts of the new version. Throws when it is not newer, or when [Unreleased] is missing or empty. */
export function toReleased(texts: Texts, { version, date }: Release): Texts {
	const current = (JSON.parse(texts.package) as { version: string }).version;
	if (!isNewer(version, current))
		throw new Error(`Version ${version} must be newer than ${current}, the one of package.json.`);
	const [before, after] = texts.changelog.split('## [Unreleased]\n');
	if (before === undefined || after === undefined)
		throw new Error('CHANGELOG.md must have one section "## [Unreleased]".');
	if (/^\s*(## |$)/.test(after))
		throw new Error('[Unreleased] in CHANGELOG.md is empty: there is nothing to release.');
	return {
		package: put(texts.package, current, version, 1),
		// the project itself stands in its lock file twice, before its dependencies
		lock: put(texts.lock, current, version, 2),
		changelog: `${before}## [Unreleased]\n\n## [${version}] - ${date}\n${after}`,
	};
}

function put(text: string, from: string, to: string, times: number): string {
	const [first = '', ...rest] = text.split(`"version": "${from}"`);
	if (rest.length < times) throw new Error(`"version": "${from}" must stand there ${times} times.`);
	return rest.reduce((all, part, i) => `${all}"version": "${i < times ? to : from}"${part}`, first);
}

function isNewer(version: string, current: string): boolean {
	const [a, b] = [version, current].map((one) => one.split('.').map(Number)) as [
		number[],
		number[],
	];
	const at = a.findIndex((number, i) => number !== b[i]);
	return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
}

/** Writes the three files in `folder`. Throws before writing when git reports changes there. */
export function release(folder: string, next: Release): void {
	const changes = execFileSync('git', ['status', '--porcelain'], { cwd: folder, encoding: 'utf8' });
	if (changes) throw new Error(`Commit or stash these changes first:\n${changes.trimEnd()}`);
	const read = (name: string) => readFileSync(join(folder, name), 'utf8');
	const { package: pkg, lock, changelog } = FILES;
	const texts = { package: read(pkg), lock: read(lock), changelog: read(changelog) };
	const released = toReleased(texts, next);
	for (const key of ['package', 'lock', 'changelog'] as const)
		writeFileSync(join(folder, FILES[key]), released[key]);
}
