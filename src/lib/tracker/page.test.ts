import { describe, expect, test } from 'vitest';
import { parseEvents } from '../server/ingest/parse-events';
import { clip, MAX_ADDRESS, MAX_TEXT, toPage, toReferrer } from './page';

describe('the address', () => {
	const at = (href: string, byHash = false) => toPage(new URL(href), byHash);

	test.each([
		['https://shop.example/a?token=1#b', false, '/a'],
		['https://shop.example/a?token=1#b', true, '/a#b'],
		['https://shop.example', false, '/'],
		['http://localhost:5173/x', false, '/x'],
	])('of %s (by hash: %s) is %s', (href, byHash, path) => {
		expect(at(href, byHash)).toEqual({ url: new URL(path, href).href, path });
	});

	test('of the query, only utm parameters that say something', () => {
		const page = at('https://shop.example/?utm_source=a%20b&utm_term=&utm_id=7&email=x@y.example');
		expect(page).toEqual({ url: 'https://shop.example/', path: '/', utm_source: 'a b' });
	});
});

test.each([
	['', undefined],
	['https://shop.example/before?x=1', undefined],
	['https://search.example/find?q=secret#x', 'https://search.example/find'],
	['http://shop.example:8080/', 'http://shop.example:8080/'],
	['android-app://com.mail.example/', 'android-app://com.mail.example/'],
])('coming from "%s" is the referrer %s', (referrer, expected) => {
	expect(toReferrer(referrer, 'shop.example')).toBe(expected);
});

test('a text is cut without half a character, and without what Postgres cannot store', () => {
	expect([clip('ab😀', 3), clip('a\0b\ud800c', 9), clip('Größe 😀', 9)]).toEqual([
		'ab',
		'abc',
		'Größe 😀',
	]);
});

test('the longest page view passes the server’s limits', () => {
	const utm = ['source', 'medium', 'campaign', 'term', 'content'];
	const query = utm.map((name) => `utm_${name}=${'€'.repeat(5_000)}`).join('&');
	const page = toPage(
		new URL(`https://shop.example/${'p'.repeat(5_000)}?${query}#${'h'.repeat(5_000)}`),
		true,
	);
	const referrer = toReferrer(`https://search.example/${'r'.repeat(5_000)}`, 'shop.example');
	const title = clip('€'.repeat(5_000), MAX_TEXT);
	const properties = { ...page, title, referrer };
	expect([page.url.length, page.path.length, page.utm_term?.length]).toEqual([
		MAX_ADDRESS,
		MAX_ADDRESS,
		MAX_TEXT,
	]);
	const body: unknown = JSON.parse(JSON.stringify({ name: 'page_view', properties }));
	expect(parseEvents(body, 0)).toMatchObject({ ok: true });
});
