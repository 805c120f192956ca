import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseRelease, release, toReleased, type Texts } from './next-version';

const NEXT = { version: '0.2.0', date: '2026-11-30' };
const TEXTS: Texts = {
	package: '{\n  "name": "x",\n  "version": "0.1.0"\n}\n',
	lock: '{ "version": "0.1.0", "packages": { "": { "version": "0.1.0" }, "a": { "version": "0.1.0" } } }\n',
	changelog: '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- One.\n\n## [0.1.0] - 2026-01-01\n',
};

test('moves [Unreleased] under the version and its date, and bumps both package files', () => {
	expect(toReleased(TEXTS, NEXT)).toEqual({
		package: '{\n  "name": "x",\n  "version": "0.2.0"\n}\n',
		lock: '{ "version": "0.2.0", "packages": { "": { "version": "0.2.0" }, "a": { "version": "0.1.0" } } }\n',
		changelog:
			'# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-30\n\n### Added\n\n- One.\n\n## [0.1.0] - 2026-01-01\n',
	});
});

test.each(['0.1.0', '0.0.9', '0.0.10'])('refuses %s, which is not newer than 0.1.0', (version) => {
	expect(() => toReleased(TEXTS, { ...NEXT, version })).toThrow('must be newer than 0.1.0');
});

test('compares numbers, not text', () => {
	const texts = { ...TEXTS, package: TEXTS.package.replace('0.1.0', '0.9.0') };
	const lock = TEXTS.lock.replaceAll('0.1.0', '0.9.0');
	expect(toReleased({ ...texts, lock }, { ...NEXT, version: '0.10.0' }).package).toContain(
		'0.10.0',
	);
});

test('refuses a changelog with nothing to release', () => {
	const empty = TEXTS.changelog.replace('### Added\n\n- One.\n\n', '');
	expect(() => toReleased({ ...TEXTS, changelog: empty }, NEXT)).toThrow('is empty');
	expect(() => toReleased({ ...TEXTS, changelog: '# Changelog\n' }, NEXT)).toThrow('must have one');
});

test('reads a version and a date, and today without one', () => {
	expect(parseRelease(['--version', '0.2.0'], '2026-11-30')).toEqual(NEXT);
	expect(parseRelease(['--version', '0.2.0', '--date', '2026-12-01'], '').date).toBe('2026-12-01');
});

test.each([
	[[], '--version ""'],
	[['--version', 'v1.2.3'], '--version "v1.2.3"'],
	[['--version', '1.02.3'], '--version "1.02.3"'],
	[['--version', '1.2.3', '--date', '2026-02-30'], '--date "2026-02-30"'],
])('refuses %j with the usage', (args, says) => {
	expect(() => parseRelease(args, '2026-11-30')).toThrow(says);
	expect(() => parseRelease(args, '2026-11-30')).toThrow('Usage: npm run release');
});

function createRepository(): string {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-version-'));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	const git = (...args: string[]) =>
		execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
			cwd: folder,
		});
	writeFileSync(join(folder, 'package.json'), TEXTS.package);
	writeFileSync(join(folder, 'package-lock.json'), TEXTS.lock);
	writeFileSync(join(folder, 'CHANGELOG.md'), TEXTS.changelog);
	git('init', '--quiet');
	git('add', '.');
	git('commit', '--quiet', '--message', 'first');
	return folder;
}

const readVersion = (folder: string) =>
	(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;

test('writes the three files of a clean work tree', () => {
	const folder = createRepository();
	release(folder, NEXT);
	expect(readVersion(folder)).toBe('0.2.0');
	expect(readFileSync(join(folder, 'CHANGELOG.md'), 'utf8')).toContain('## [0.2.0] - 2026-11-30');
	expect(readFileSync(join(folder, 'package-lock.json'), 'utf8')).toContain('"version": "0.2.0"');
});

test('writes nothing when the work tree has changes', () => {
	const folder = createRepository();
	writeFileSync(join(folder, 'new.txt'), 'new');
	expect(() => release(folder, NEXT)).toThrow('Commit or stash these changes first:\n?? new.txt');
	expect(readVersion(folder)).toBe('0.1.0');
});
