import { describe, expect, test } from 'vitest';
import { parseEvents } from '../server/ingest/parse-events';
import {
	clip,
	isOn,
	MAX_ADDRESS,
	MAX_TEXT,
	toCampaign,
	toPage,
	toReferrer,
	type Settings,
} from './page';

describe('the address', () => {
	const at = (href: string, settings: Settings = {}) => toPage(new URL(href), settings);

	test.each([
		['https://shop.example/a?token=1#b', {}, '/a'],
		['https://shop.example/a?token=1#b', { hash: '' }, '/a#b'],
		['https://shop.example', { hash: 'false' }, '/'],
		['http://localhost:5173/x', {}, '/x'],
		['https://shop.example/?page_id=7&token=1', { query: 'page_id' }, '/?page_id=7'],
		['https://shop.example/?c=3&a=1&b=2', { query: 'a, b' }, '/?a=1&b=2'],
		['https://shop.example/?page_id=7', {}, '/'],
		['https://shop.example/?page_idx=7&xpage_id=8', { query: 'page_id' }, '/'],
		['https://shop.example/?=1&&', { query: '' }, '/'],
	])('of %s with %j is %s', (href, settings, path) => {
		expect(at(href, settings)).toEqual({ url: new URL(path, href).href, path });
	});

	test.each(['/about/', '/about//', '/about'])(
		'%s is /about, unless the slash counts',
		(pathname) => {
			const href = `https://shop.example${pathname}`;
			expect(at(href).path).toBe('/about');
			expect(at(href, { slash: '' })).toMatchObject({ path: pathname, slash: true });
		},
	);

	test('gives the utm parameters that say something, and no other', () => {
		const query = '?utm_source=a%20b&utm_term=&utm_id=7&email=x@y.example';
		expect(toCampaign(`https://shop.example/${query}`)).toEqual({ utm_source: 'a b' });
		expect(at(`https://shop.example/${query}`)).toEqual({
			url: 'https://shop.example/',
			path: '/',
		});
	});
});

test.each(['www.shop.example', 'blog.shop.example'])('%s is the site itself', (host) => {
	const from = (ownHost: string) =>
		toReferrer(`https://${host}/`, ownHost, 'shop.example, blog.shop.example');
	expect(['shop.example', 'www.shop.example', 'blog.shop.example'].map(from)).toEqual(
		Array.from({ length: 3 }, () => undefined),
	);
	expect(toReferrer(`https://${host}.example/`, 'shop.example')).toBe(`https://${host}.example/`);
});

test('an attribute is on without a value, and as `true` in nowboardConfig', () => {
	expect(['', 'true', true, 'false', false, undefined, null].map(isOn)).toEqual(
		[true, true, true, false, false, false, false], // prettier-ignore
	);
});

test('an address is never cut inside an encoded character', () => {
	for (let max = 0; max < 40; max++)
		expect(() =>
			decodeURIComponent(clip('/a%20b%C3%BC%E3%81%82%F0%9F%98%80c%2F', max)),
		).not.toThrow();
});

test.each([
	['', undefined],
	['https://shop.example/before?x=1', undefined],
	['https://search.example/find?q=secret', 'https://search.example/find'],
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
	const address = new URL(
		`https://shop.example/${'p'.repeat(5_000)}?${query}#${'h'.repeat(5_000)}`,
	);
	const page = toPage(address, { hash: '', slash: '' });
	const campaign = toCampaign(address.href);
	const referrer = toReferrer(`https://search.example/${'r'.repeat(5_000)}`, 'shop.example');
	const title = clip('€'.repeat(5_000), MAX_TEXT);
	const properties = { ...page, ...campaign, title, referrer };
	expect([page.url.length, page.path.length, campaign['utm_term']?.length]).toEqual([
		MAX_ADDRESS,
		MAX_ADDRESS,
		MAX_TEXT,
	]);
	const body: unknown = JSON.parse(JSON.stringify({ name: 'page_view', properties }));
	expect(parseEvents(body, 0)).toMatchObject({ ok: true });
});
