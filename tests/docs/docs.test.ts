/**
 * What the documentation names exists: files and headings behind links, npm scripts, variables. It does not know whether what
 * is said of them is true; the tests that the pages name do.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { toConfiguration, toExample } from '../../scripts/commands/variable-docs';
import { VARIABLES } from '../../src/lib/server/config/variables';

/** Path from the project's root, and text. */
type Page = { path: string; text: string };

const read = (path: string) => readFileSync(path, 'utf8');
const PAGES: Page[] = ['README.md', ...list('docs', '.md')].map((path) => ({
	path,
	text: read(path),
}));

const NAMES: string[] = Object.keys(VARIABLES);

/** Variables that adapter-node reads. */
const ADAPTER = [
	...new Set(
		list('node_modules/@sveltejs/adapter-node/files', '.js')
			.flatMap((path) => [...read(path).matchAll(/\b(?:timeout_)?env\('([A-Z_]+)'/g)])
			.map(([, name]) => name ?? ''),
	),
];
/** set by systemd, not by people */
const SYSTEMD = ['LISTEN_PID', 'LISTEN_FDS'];

test('every link inside the project leads to a file, and to a heading of it', () => {
	expect(PAGES.flatMap((page) => findLinks(page)).length).toBeGreaterThan(50);
	expect(findBroken(PAGES)).toEqual([]);
});

test('a link that leads nowhere is found', () => {
	const page: Page = {
		path: 'docs/deploy/page.md',
		text: [
			'# A page: with `code`, twice',
			'[good](../delivery.md#where-it-ends) [here](#a-page-with-code-twice) [second](#again-1) [out](https://example.com/x.md)',
			'## Again',
			'## Again',
			'```\n[no link](nowhere.md)\n# no heading\n```',
			'[gone](../gone.md) ![picture](gone.png) <img src="../gone.png"> [heading](../delivery.md#gone) [own](#no-heading)',
		].join('\n'),
	};
	expect(findBroken([page])).toEqual([
		'docs/deploy/page.md: ../gone.md',
		'docs/deploy/page.md: gone.png',
		'docs/deploy/page.md: ../delivery.md#gone',
		'docs/deploy/page.md: #no-heading',
		'docs/deploy/page.md: ../gone.png',
	]);
});

test('every page is reached from the table of contents', () => {
	const contents = PAGES.find(({ path }) => path === 'docs/README.md') as Page;
	const targets = findLinks(contents).map((link) => toTarget(contents.path, link).path);
	const missing = PAGES.map(({ path }) => path).filter(
		(path) => !targets.some((target) => path === target || path.startsWith(`${target}/`)),
	);
	// the contents, and the generated pages, which results.md and decisions link to
	const isRecord = (path: string) => /^docs\/(results|rehearsals)\//.test(path);
	expect(missing.filter((path) => !isRecord(path))).toEqual(['docs/README.md']);
});

test('every npm script that is named exists', () => {
	const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
	const findUnknown = (text: string) =>
		[...text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)(…?)/g)]
			.filter(([, name = '', open]) =>
				open ? !Object.keys(scripts).some((one) => one.startsWith(name)) : !(name in scripts),
			)
			.map(([, name]) => name);
	expect(PAGES.flatMap(({ text }) => findUnknown(text))).toEqual([]);
	const text = '`npm run build`, `npm run bench:…`, `npm run nothing`, `npm run no:…`';
	expect(findUnknown(text)).toEqual(['nothing', 'no:']);
});

test('configuration.md and .env.example are up to date (npm run docs)', () => {
	expect(read('docs/configuration.md')).toBe(toConfiguration());
	expect(read('.env.example')).toBe(toExample());
});

test('configuration.md lists every variable except internal ones', () => {
	const shown = Object.entries(VARIABLES).filter(([, { shown }]) => shown !== 'internal');
	const listed = findVariables(read('docs/configuration.md'));
	expect(listed.sort()).toEqual(shown.map(([name]) => name).sort());
});

test('every variable that a page names is one, and every one of adapter-node is known', () => {
	const findUnknown = (text: string) => findVariables(text).filter((name) => !NAMES.includes(name));
	expect(PAGES.flatMap(({ text }) => findUnknown(text))).toEqual([]);
	expect(findUnknown('| `PORT`, `NOBODY_READS` | – | |\n`ELSEWHERE`')).toEqual(['NOBODY_READS']);
	expect(ADAPTER.length).toBeGreaterThan(10);
	expect(ADAPTER.filter((name) => !NAMES.includes(name))).toEqual(SYSTEMD);
});

/** Files below a folder, as paths from the project's root. */
function list(folder: string, ending: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && entry.name.endsWith(ending))
		.map((entry) => posix.join(entry.parentPath.replaceAll('\\', '/'), entry.name));
}

function withoutCode(text: string): string {
	return text.replace(/^( *)```[\s\S]*?^\1```/gm, '');
}

/** What links and pictures name that is no address of the web. */
function findLinks({ text }: Page): string[] {
	const prose = withoutCode(text).replace(/`[^`\n]*`/g, '``');
	return [...prose.matchAll(/\]\(([^)\s]+)\)/g), ...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)]
		.map(([, link]) => link ?? '')
		.filter((link) => !/^[a-z]+:/.test(link));
}

function toTarget(from: string, link: string): { path: string; anchor: string } {
	const [file = '', anchor = ''] = link.split('#');
	return { path: file ? posix.join(posix.dirname(from), file) : from, anchor };
}

function findBroken(pages: Page[]): string[] {
	return pages.flatMap((page) =>
		findLinks(page)
			.filter((link) => {
				const { path, anchor } = toTarget(page.path, link);
				const own = path === page.path;
				if (!own && !existsSync(path)) return true;
				if (!anchor) return false;
				if (!own && !statSync(path).isFile()) return true;
				return !findAnchors(own ? page.text : read(path)).includes(anchor);
			})
			.map((link) => `${page.path}: ${link}`),
	);
}

/** As GitHub makes them: lower case, no punctuation, `-` for a space; the second of the same name ends with -1. */
function findAnchors(text: string): string[] {
	const seen = new Map<string, number>();
	return [...withoutCode(text).matchAll(/^#{1,6} +(.*)$/gm)].map(([, heading = '']) => {
		const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
		const anchor = plain
			.replace(/[^\p{L}\p{N}\s_-]/gu, '')
			.trim()
			.replace(/\s/g, '-');
		const count = seen.get(anchor) ?? 0;
		seen.set(anchor, count + 1);
		return count === 0 ? anchor : `${anchor}-${count}`;
	});
}

/** Names in capitals in the first column of a table. */
function findVariables(text: string): string[] {
	return [...text.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
		[...cell.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name ?? ''),
	);
}
