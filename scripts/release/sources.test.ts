import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hashSources, isBuiltFrom, noteSources } from './sources';

/** A project with one page and one test; `write` changes a file of it. */
function makeProject() {
	const root = mkdtempSync(join(tmpdir(), 'nowboard-sources-'));
	onTestFinished(() => rmSync(root, { recursive: true }));
	const write = (path: string, text: string) => {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), text);
	};
	write('src/routes/+page.svelte', 'hello');
	write('src/lib/a.test.ts', 'test');
	write('package-lock.json', '{}');
	return { root, write };
}

test.each([
	['a page', 'src/routes/+page.svelte'],
	['a new file', 'static/new.svg'],
	['a dependency', 'package-lock.json'],
	['a command', 'scripts/keys.ts'],
])('%s that changes makes the build old', (_what, path) => {
	const { root, write } = makeProject();
	const build = mkdtempSync(join(root, 'build-'));
	expect(isBuiltFrom(build, hashSources(root))).toBe(false);
	noteSources(build, hashSources(root));
	expect(isBuiltFrom(build, hashSources(root))).toBe(true);
	write(path, 'changed');
	expect(isBuiltFrom(build, hashSources(root))).toBe(false);
});

test('a test, a document and the folder’s own name change nothing', () => {
	const { root, write } = makeProject();
	const before = hashSources(root);
	write('src/lib/a.test.ts', 'another test');
	write('docs/page.md', 'words');
	expect(hashSources(root)).toBe(before);
	expect(hashSources(makeProject().root)).toBe(before);
});
