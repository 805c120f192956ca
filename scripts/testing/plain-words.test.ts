import { expect, test } from 'vitest';
import { findTooMany, findWords, lower } from './plain-words';

const words = (text: string) => findWords(text).map(({ line, word }) => `${line} ${word}`);

test('finds banned words with their line, in any case', () => {
	expect(words('// Nobody knows.\nconst a = 1; // a stranger, told apart')).toEqual([
		'1 Nobody',
		'2 stranger',
		'2 told apart',
	]);
});

test('finds comments and test names that begin with "Who"', () => {
	expect(
		words("/** Who is refused waits. */\n\t// Who asks?\ntest('Who asks waits', () => {})"),
	).toEqual(['1 Who', '3 Who']);
});

test('accepts plain sentences, and banned words within other words', () => {
	expect(
		words('// Limits clients that keep being refused.\nonBell(); outdoors(); canewe();'),
	).toEqual([]);
});

test('allows what the baseline lists for a file, and no more', () => {
	const texts = [
		{ path: 'a.ts', text: 'nobody' },
		{ path: 'b.ts', text: 'nobody\nsomebody' },
		{ path: 'c.ts', text: 'anew' },
	];
	expect(findTooMany(texts, { 'a.ts': 1, 'b.ts': 1 })).toEqual([
		'b.ts: 2 words, 1 are allowed',
		'b.ts:1: "nobody": "no one", or name them: "no client", "no viewer"',
		'b.ts:2: "somebody": "someone", or name them: a viewer, a client',
		'c.ts:1: "anew": again, "is rebuilt", "starts over"',
	]);
});

test('lowers the baseline and never raises it', () => {
	const texts = [
		{ path: 'b.ts', text: 'nobody somebody' },
		{ path: 'a.ts', text: 'nobody' },
		{ path: 'clean.ts', text: '' },
	];
	expect(lower(texts, { 'a.ts': 3, 'b.ts': 1, 'clean.ts': 2, 'gone.ts': 1 })).toEqual({
		'a.ts': 1,
		'b.ts': 1,
	});
});
