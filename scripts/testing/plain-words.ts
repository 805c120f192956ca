/**
 * Finds words that make our sentences hard to read, in code, comments, messages and docs. Files that still have some are
 * listed in plain-words.json with their number, which may only fall. Pure, apart from `readTexts`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Path from the project's root, and text. */
export type Text = { path: string; text: string };
export type Found = { line: number; word: string; instead: string };
/** How many are left in each file. */
export type Baseline = Record<string, number>;

const FOLDERS = ['src', 'scripts', 'tests', 'bench', 'docs', '.github'];
const ENDINGS = /\.(ts|js|svelte|css|md|ya?ml)$/;
/** These hold the words on purpose, or are written by a program or record what was. */
const LEFT_OUT =
	/^(scripts\/testing\/plain-words(\.test)?\.ts|docs\/(results|rehearsals|decisions)\/.*)$|\/node_modules\/|\/\.next\//;

const RULES: [words: string, instead: string][] = [
	['whoever|whomever', 'name them: client, viewer, operator, attacker'],
	['nobody', '"no one", or name them: "no client", "no viewer"'],
	['somebody', '"someone", or name them: a viewer, a client'],
	['everybody', '"everyone", or name them: all viewers'],
	['newcomers?', '"Note:" or "Why not X:"'],
	['strangers?', 'unauthenticated clients'],
	['lookers?', 'viewers'],
	['doors?', 'route, login, access rule'],
	['(?:door)?bells?', 'notification, NOTIFY'],
	['told apart|tells? apart', 'distinguish, distinct'],
	['put away', 'drop, evict'],
	['gives? way|giving way|given way', 'is dropped, is evicted'],
	['anew', 'again, "is rebuilt", "starts over"'],
	['sen[dt]s? away|sent away', 'disconnect, reject'],
	['all the same', 'still, anyway'],
	['knows? (?:no|nothing)', '"No HTTP here.", "Independent of …"'],
	['crumbs', 'small chunks'],
];
const WORDS = new RegExp(`\\b(?:${RULES.map(([words]) => `(${words})`).join('|')})\\b`, 'gi');
/** A comment or a test name that begins with a clause instead of its subject: "Who is refused waits." */
const INVERTED = /(?:\/\*\*|\/\/|^\s*\*|\b(?:test|it)\(')\s*(Who|Whose|Whom)\s+[^?]*$/;

export function findWords(text: string): Found[] {
	return text.split('\n').flatMap((content, index) => {
		const found = [...content.matchAll(WORDS)].map((match) => ({
			line: index + 1,
			word: match[0],
			instead: RULES[match.slice(1).findIndex((group) => group !== undefined)]?.[1] ?? '',
		}));
		const [, inverted] = INVERTED.exec(content) ?? [];
		if (inverted)
			found.push({ line: index + 1, word: inverted, instead: 'begin with the subject' });
		return found;
	});
}

/** The faults of texts with more words than the baseline allows, each as a line. */
export function findTooMany(texts: readonly Text[], baseline: Baseline): string[] {
	return texts.flatMap(({ path, text }) => {
		const found = findWords(text);
		const allowed = baseline[path] ?? 0;
		if (found.length <= allowed) return [];
		const head = allowed > 0 ? [`${path}: ${found.length} words, ${allowed} are allowed`] : [];
		return [
			...head,
			...found.map(({ line, word, instead }) => `${path}:${line}: "${word}": ${instead}`),
		];
	});
}

/** The baseline after words were removed: no number rises, and files without any are not listed. */
export function lower(texts: readonly Text[], baseline: Baseline): Baseline {
	const left = texts.map(({ path, text }): [string, number] => [
		path,
		Math.min(findWords(text).length, baseline[path] ?? 0),
	]);
	return Object.fromEntries(
		left.filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)),
	);
}

export function readTexts(): Text[] {
	const inFolders = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
		readdirSync(folder, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => posix.join(entry.parentPath.replaceAll('\\', '/'), entry.name)),
	);
	return ['README.md', 'CHANGELOG.md', ...inFolders]
		.filter((path) => ENDINGS.test(path) && !LEFT_OUT.test(path))
		.sort()
		.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}
