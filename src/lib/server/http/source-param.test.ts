import { isHttpError } from '@sveltejs/kit';
import { expect, test } from 'vitest';
import { parseEvents } from '../ingest/parse-events';
import { toChosenSource } from './source-param';

/** What comes of `?source=`: a source, or the refusal. */
function choose(source: string): string | null {
	try {
		return toChosenSource(new URLSearchParams({ source }));
	} catch (thrown) {
		if (isHttpError(thrown)) return `${thrown.status} ${thrown.body.message}`;
		throw thrown;
	}
}

test('none chooses all', () => {
	expect([choose(''), toChosenSource(new URLSearchParams())]).toEqual([null, null]);
});

test('what an event may have as its source can be chosen, and nothing else', () => {
	const given = ['shop', 'a b', ' ', 'ü'.repeat(120), '😀'.repeat(120)];
	expect(given.map(choose)).toEqual(given);
	const refused = ['x'.repeat(121), '😀'.repeat(121), 'x'.repeat(16_000), 'a\0b', '\ud800'];
	// a lone surrogate does not come through an address: it is another character by then
	expect(refused.slice(0, 4).map(choose)).toEqual([
		'400 source has 121 characters: it may have at most 120.',
		'400 source has 121 characters: it may have at most 120.',
		'400 source has 16000 characters: it may have at most 120.',
		'400 source must not contain NUL (\\u0000), which Postgres cannot store.',
	]);
	const takes = (source: string) => parseEvents({ name: 'a', source }, 0).ok;
	expect([given.map(takes), refused.map(takes)]).toEqual([
		given.map(() => true),
		refused.map(() => false),
	]);
});
