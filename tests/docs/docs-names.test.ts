/**
 * What the documentation names exists: files in backticks and lines of the log. Links, commands and variables: docs.test.ts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';

const FOLDERS = ['.github', 'bench', 'docs', 'drizzle', 'scripts', 'src', 'static', 'tests'];
const ENDINGS = ['ts', 'js', 'svelte', 'md', 'sql', 'toml', 'yaml'];

const read = (path: string) => readFileSync(path, 'utf8');
const FILES = [...listFiles('.', false), ...FOLDERS.flatMap((folder) => listFiles(folder))];
const PAGES = FILES.filter((path) =>
	/^(README|CHANGELOG)\.md$|^(docs|\.github)\/.*\.md$/.test(path),
);

/** What `npm run build` puts into `build/` beside the server. */
const COMMANDS = [
	...read('scripts/release/build-release.ts').matchAll(/^\t(\w+): '(?:scripts|src)\//gm),
].map(([, name]) => `build/${name}.js`);

test('every file that a page names exists', () => {
	expect(COMMANDS).toContain('build/migrate.js');
	const named = PAGES.flatMap((path) => findNames(read(path)));
	expect(named.length).toBeGreaterThan(150);
	const missing = PAGES.flatMap((path) =>
		findNames(read(path))
			.filter((name) => !exists(name))
			.map((name) => `${path}: ${name}`),
	);
	expect(missing).toEqual([]);
});

test('(control) a name that is no file is found, in prose and in a table; code blocks and addresses are none', () => {
	const text = [
		'`ring.ts`, `src/lib/server/stream/ring.ts`, `server/stream/ring`, `tests/e2e`, `build/keys.js` and `/t.js` are here;',
		'| `gone.test.ts` | `src/lib/gone.ts`, `tests/gone`, `server/gone` |',
		'`build/gone.js`, `other/ring.ts`, `npm run gone.ts`',
		'```\n`gone.md`\n```',
	].join('\n');
	expect(findNames(text).filter((name) => !exists(name))).toEqual([
		'gone.test.ts',
		'src/lib/gone.ts',
		'tests/gone',
		'server/gone',
		'build/gone.js',
		'other/ring.ts',
	]);
});

test('every line of the log that Operations explains stands in the code', () => {
	const lines = findLogLines(read('docs/operations.md'));
	expect(lines.length).toBeGreaterThan(15);
	expect(lines.filter((line) => !isLogged(line))).toEqual([]);
	// control: another word, a beginning without its `…`, and a line that goes on where it ends
	const table =
		'## The log\n\n| `msg` |\n| --- |\n| `NOTIFY comes`, `NOTIFY does not arrive` | `x` |\n';
	expect(findLogLines(table)).toEqual(['NOTIFY comes', 'NOTIFY does not arrive']);
	expect(findLogLines(table).filter(isLogged)).toEqual([]);
	expect(['NOTIFY arrives …', 'NOTIFY does not arrive; …'].map(isLogged)).toEqual([false, true]);
});

/** Paths from the project's root. */
function listFiles(folder: string, recursive = true): string[] {
	return readdirSync(folder, { recursive, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => posix.join(entry.parentPath.replaceAll('\\', '/'), entry.name));
}

/** What stands in backticks and ends as a file does, or begins with one of our folders. */
function findNames(text: string): string[] {
	const prose = text.replace(/^( *)```[\s\S]*?^\1```/gm, '');
	const isFile = new RegExp(`^[\\w.[\\]+-][\\w.[\\]+/-]*\\.(${ENDINGS.join('|')})$`);
	const isPath = new RegExp(
		`^(${FOLDERS.join('|')}|lib|routes|server|stores|components)/[\\w.[\\]+/-]*$`.replace(
			'.g',
			'\\.g',
		),
	);
	return [...prose.matchAll(/`([^`\s]+)`/g)]
		.map(([, name]) => name ?? '')
		.filter((name) => isFile.test(name) || isPath.test(name));
}

/** By its path, by the end of its path, or, where the page leaves out what is clear, without `src/lib/` and `.ts`. */
function exists(name: string): boolean {
	if (COMMANDS.includes(name)) return true;
	if (FILES.some((path) => path === name || path.endsWith(`/${name}`))) return true;
	return ['', 'src/', 'src/lib/'].some((folder) =>
		['', '.ts', '.svelte'].some(
			(ending) => name.includes('/') && existsSync(`${folder}${name}${ending}`),
		),
	);
}

/** The first column of the table under "The log". */
function findLogLines(page: string): string[] {
	const section = /^## The log\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(page)?.[1] ?? '';
	return [...section.matchAll(/^\|([^|]*)\|/gm)]
		.slice(1)
		.flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, line]) => line ?? ''));
}

/** Whether a text of the code is that line, or begins with it and goes on when it ends in `…`. */
function isLogged(line: string): boolean {
	const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	const text = line.endsWith('…')
		? new RegExp(`(['\`])${escape(line.slice(0, -1).trimEnd())}(?!\\1)`)
		: new RegExp(`(['\`])${escape(line)}\\1`);
	return FILES.filter((path) => /^src\/.*(?<!\.test)\.ts$/.test(path)).some((path) =>
		text.test(read(path)),
	);
}
