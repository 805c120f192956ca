/**
 * The guides show the code as it is: a block that names a file (```ts src/lib/x.ts) occurs in it line by line, indentation aside;
 * a line "…" is where something was left out. Files that pages name: docs-names.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findBlocks } from '../setup/examples';

const GUIDE = 'docs/build-it-yourself.md';
const read = (path: string) => readFileSync(path, 'utf8');
const toLines = (text: string) =>
	text
		.trimEnd()
		.split('\n')
		.map((line) => line.trim());

/** The pieces of an excerpt that are not in the file, in their order. */
function findMissing(excerpt: string, file: string): string[] {
	const lines = toLines(file);
	let from = 0;
	return toLines(excerpt)
		.join('\n')
		.split(/\n?^…$\n?/m)
		.filter((piece) => {
			const wanted = piece.split('\n');
			const at = lines.findIndex(
				(_, start) => start >= from && wanted.every((line, i) => lines[start + i] === line),
			);
			if (at >= 0) from = at + wanted.length;
			return at < 0;
		});
}

const excerpts = findBlocks(read(GUIDE)).filter(({ info }) => info !== '');

test('the guide has excerpts', () => {
	expect(excerpts.length).toBeGreaterThan(10);
});

test.each(excerpts)('line $line: $info is as it says', ({ info, code }) => {
	expect(existsSync(info), info).toBe(true);
	expect(findMissing(code, read(info))).toEqual([]);
});

test('(control) another word, another order and a line between are noticed; another indentation is not', () => {
	const file = 'a();\n\tb();\n\tc();\nd();\n';
	expect(findMissing('b();\nc();', file)).toEqual([]);
	expect(findMissing('a();\n…\nd();', file)).toEqual([]);
	expect(findMissing('b();\nd();', file)).toEqual(['b();\nd();']);
	expect(findMissing('d();\n…\na();', file)).toEqual(['a();']);
	expect(findMissing('b(1);', file)).toEqual(['b(1);']);
});
