/** Every command of the documentation is run by a test, or stands beside a mark that says why not. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findCommands, readPages, type Page } from './commands';
import { BEYOND, findPlanned, findUncovered, RUN, RUN_BY, type Planned } from './plan';

const PAGES = readPages();
const RUNS: Planned[] = Object.values(RUN).flat();

test('every command is run by a test, or marked as not verified here', () => {
	expect(findCommands(PAGES).length).toBeGreaterThan(100);
	expect(findUncovered(PAGES, RUNS)).toEqual([]);
});

test('what runs them is there, and looks at its end whether it has run all', () => {
	const says = (file: string, words: string) =>
		existsSync(file) && readFileSync(file, 'utf8').includes(words);
	for (const file of Object.keys(RUN))
		expect([file, says(file, `createTaker('${file}')`), says(file, 'expect(untaken())')]).toEqual([
			file,
			true,
			true,
		]);
	for (const [command, file] of Object.entries(RUN_BY))
		expect([file, says(file, command)]).toEqual([file, true]);
});

test('every reason for a mark is needed', () => {
	const marked = findCommands(PAGES).filter(({ marked }) => marked);
	expect(BEYOND.filter(([needs]) => !marked.some(({ code }) => needs.test(code)))).toEqual([]);
});

const page = (text: string): Page[] => [{ path: 'docs/page.md', text }];
const block = (code: string, language = 'sh') => `\`\`\`${language}\n${code}\n\`\`\`\n`;

test('(control) finds a block that no test runs, with its page and line', () => {
	const text = `# A page\n\n${block('npm run invented')}\n${block('nothing', 'js')}\n1. A step\n\n   ${block('curl -s http://x\ntrue').replaceAll('\n', '\n   ')}`;
	expect(findUncovered(page(text), [])).toEqual([
		'docs/page.md:3: npm run invented',
		'docs/page.md:13: curl -s http://x',
	]);
	expect(findUncovered(page(text), [['docs/page.md', 'invented']])).toEqual([
		'docs/page.md:13: curl -s http://x',
	]);
	expect(findCommands(page(text)).at(-1)?.code).toBe('curl -s http://x\ntrue');
	// a block without a language counts too
	expect(findUncovered(page(block('git pull', '')), [])).toEqual(['docs/page.md:1: git pull']);
	// and an annotation hides nothing
	expect(findUncovered(page(block('git pull', 'sh title')), [])).toHaveLength(1);
});

test('(control) so is a command within a line, unless it begins one that is run', () => {
	const text = `| \`npm run a -- list\` | \`npm run a\` | \`npm run a …\` |\n\n- \`npm run ab\`, \`npm\` and \`curl\` are`;
	expect(findUncovered(page(text), [])).toHaveLength(4);
	expect(findUncovered(page(text), [['docs/page.md', '-- list']])).toEqual([
		'docs/page.md:3: npm run ab',
	]);
	expect(findUncovered(page('`git pull -f`, `git pull`'), [['docs/page.md', 'pull -f']])).toEqual(
		[],
	);
	expect(findUncovered(page('`git pull -f`'), [])).toHaveLength(1);
});

test('(control) a mark covers what it stands beside, for a reason that is known', () => {
	const mark = 'Not verified here: it needs what is not here.\n';
	const uncovered = (text: string) => findUncovered(page(text), []).length;
	const docker = block('docker run x');
	for (const text of [
		`# Page\n\n${mark}\n## Part\n\n${docker}`,
		`${docker}\n${mark}`,
		`## Part\n\n${mark}\n${docker}`,
		`Text\n\n${docker}\n${mark}\nText`,
	])
		expect(uncovered(text), text).toBe(0);
	for (const text of [
		`${docker}`,
		`${docker}\nText between\n\n${mark}`,
		`# Page\n\n## Part\n\n${mark}\n## Another\n\n${docker}`,
		`${docker}\nAll of it was verified here, not: ${mark}`,
		`${block('npm run lint')}\n${mark}`,
		`${docker}\n<!-- ${mark} -->`,
	])
		expect(uncovered(`## Before\n\n${text}`), text).toBe(1);
	const named = `## Part\n\n| \`npm run bench:a\` | \`npm run lint\` |\n\n`;
	expect(uncovered(named)).toBe(2);
	expect(uncovered(`${named}Not verified here: \`npm run bench:…\` and \`npm run lint\`.`)).toBe(2);
});

test('(control) words that stand nowhere, or in two commands, are no plan', () => {
	const commands = findCommands(
		page(block('npm run a') + block('npm run ab') + block('npm run b')),
	);
	expect(() => findPlanned(commands, ['docs/page.md', 'npm run c'])).toThrow('no command has');
	expect(() => findPlanned(commands, ['docs/page.md', 'npm run a'])).toThrow(
		'stands in docs/page.md:1: npm run a and in docs/page.md:4: npm run ab',
	);
	expect(findPlanned(commands, ['docs/page.md', 'npm run b']).line).toBe(7);
});
