/**
 * What the documentation tells people to type: shell blocks, and commands within a line; and which of them a page marks as not
 * verified here. It does not know who runs the others (plan.ts).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { findBlocks } from '../setup/examples';

/** Path from the project's root, and text. */
export type Page = { path: string; text: string };
export type Command = {
	page: string;
	line: number;
	kind: 'block' | 'inline';
	/** as it stands there, indentation aside */
	code: string;
	/** "Not verified here" stands where its reader sees it */
	marked: boolean;
};

/** A paragraph that begins so is a mark; what is needed comes behind it. */
export const MARK = 'Not verified here:';
const SHELLS = ['sh', 'bash', 'shell', 'console', 'zsh'];
/** What makes a command of a line of text. With nothing behind it, it is only named. */
const PROGRAM =
	/^(?:sudo |[A-Z_]+=\S+ )*(npm|npx|node|curl|git|psql|pg_dump|pg_restore|createdb|createuser|docker|fly|railway|systemctl|journalctl) \S/;
/** Records of commands that were run once; readers need not run them. */
const RECORDS = /^(CHANGELOG\.md|docs\/(results|rehearsals|decisions)\/)/;

export function readPages(): Page[] {
	const docs = readdirSync('docs', { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
		.map((entry) => posix.join(entry.parentPath.replaceAll('\\', '/'), entry.name));
	return ['README.md', 'CHANGELOG.md', '.github/SECURITY.md', ...docs.sort()]
		.filter((path) => existsSync(path))
		.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** All of them, in the order of the pages. */
export function findCommands(pages: readonly Page[]): Command[] {
	const named = pages
		.filter(({ text }) => !hasMarkedLead(text))
		.flatMap(({ text }) => toParagraphs(withoutCode(text)).flatMap(findNamed));
	const marked = pages.filter(({ text }) => hasMarkedLead(text)).map(({ path }) => path);
	return pages.flatMap((page) => [
		...findShellBlocks(page),
		...findInline(page, { named, marked }),
	]);
}

function findShellBlocks({ path, text }: Page): Command[] {
	return findBlocks(text)
		.filter(
			({ language, code }) =>
				SHELLS.includes(language) ||
				(language === '' && PROGRAM.test(code.trimStart()) && !RECORDS.test(path)),
		)
		.map(({ line, code }) => {
			const indentation = /^ */.exec(code)?.[0] ?? '';
			return {
				page: path,
				line,
				kind: 'block',
				code: code.replace(new RegExp(`^${indentation}`, 'gm'), '').trimEnd(),
				marked: hasMarkedLead(text) || hasMarkBeside(text, line),
			};
		});
}

type Marks = { named: readonly string[]; marked: readonly string[] };

function findInline({ path, text }: Page, { named, marked }: Marks): Command[] {
	if (RECORDS.test(path)) return [];
	return withoutCode(text)
		.split('\n')
		.flatMap((content, index) => {
			const leads = [...content.matchAll(/\]\(([^)\s#]+)/g)].some(([, link]) =>
				marked.includes(posix.join(posix.dirname(path), link ?? '')),
			);
			return toSpans(content).map((code) => ({
				page: path,
				line: index + 1,
				kind: 'inline' as const,
				code,
				marked: hasMarkedLead(text) || leads || named.some((begin) => isBeginning(begin, code)),
			}));
		});
}

const toSpans = (text: string) =>
	[...text.matchAll(/`([^`\n]+)`/g)]
		.map(([, code]) => code ?? '')
		.filter((code) => PROGRAM.test(code));

/** The commands that a mark names; one that ends with … stands for all that begin so. */
function findNamed(paragraph: string): string[] {
	return paragraph.startsWith(MARK) ? toSpans(paragraph) : [];
}

/** Before the first heading of a part: it is about the whole page. */
function hasMarkedLead(text: string): boolean {
	const [lead = ''] = text.split(/^## /m);
	return toParagraphs(withoutCode(lead)).some((paragraph) => paragraph.startsWith(MARK));
}

/** Directly before or directly after the block that begins in this line. */
function hasMarkBeside(text: string, line: number): boolean {
	const lines = text.split('\n');
	const fence = /^ *```/;
	const end = lines.findIndex((content, i) => i >= line && fence.test(content));
	const before = toParagraphs(lines.slice(0, line - 1).join('\n')).at(-1);
	const after = toParagraphs(lines.slice(end + 1).join('\n'))[0];
	return [before, after].some((paragraph) => paragraph?.startsWith(MARK));
}

const toParagraphs = (text: string) =>
	text
		.split(/\n\s*\n/)
		.map((paragraph) => paragraph.trim())
		.filter((paragraph) => paragraph !== '');

/** With as many lines as before. */
function withoutCode(text: string): string {
	return text.replace(/^( *)```[\s\S]*?^\1```/gm, (block) => block.replace(/[^\n]/g, ''));
}

/** The commands of a block, or of a line, one by one: without comments, and in one line each. */
export function toCommandLines(code: string): string[] {
	return code
		.replace(/\\\n\s*/g, ' ')
		.split(/\n|&&/)
		.map((line) => line.replace(/(^|\s)#.*$/, '').trim())
		.filter((line) => line !== '');
}

/** Whether `code` is `begin`, or goes on where that ends: behind a word, or anywhere behind a … that ends it. */
export function isBeginning(begin: string, code: string): boolean {
	const [words = '', open] = begin.split(/(?<=\S)(…)$|\s+…$/);
	return code === begin || code === words || code.startsWith(open ? words : `${words} `);
}
