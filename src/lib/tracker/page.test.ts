import { describe, expect, test } from 'vitest';
import { isOn, toCampaign, toReferrer, toUrl, type Settings } from './page';

describe('the address', () => {
	const at = (href: string, settings: Settings = {}) => toUrl(new URL(href), settings);

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
		['https://shop.example/?undefined=1', {}, '/'],
	])('of %s with %j is %s', (href, settings, path) => {
		expect(at(href, settings)).toBe(new URL(path, href).href);
	});

	test.each(['/about/', '/about//', '/about'])(
		'%s is /about, unless the slash counts',
		(pathname) => {
			const href = `https://shop.example${pathname}`;
			expect(at(href)).toBe('https://shop.example/about');
			expect(at(href, { slash: '' })).toBe(href);
		},
	);

	test('gives the utm parameters, and no other', () => {
		const href = 'https://shop.example/?utm_source=a%20b&x_utm_term=1&utm_id=7&email=x@y.example#a';
		expect(toCampaign(href)).toEqual(['?utm_source=a%20b', '&utm_id=7']);
		expect(at(href)).toBe('https://shop.example/');
	});
});

test.each(['www.shop.example', 'blog.shop.example'])('%s is the site itself', (host) => {
	const from = (ownHost: string) =>
		toReferrer(`https://${host}/`, [ownHost, 'shop.example, blog.shop.example']);
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

test.each([
	['', undefined],
	['https://shop.example/before?x=1', undefined],
	['https://search.example/find?q=secret', 'https://search.example/find'],
	['http://shop.example:8080/', 'http://shop.example:8080/'],
	['android-app://com.mail.example/', 'android-app://com.mail.example/'],
])('coming from "%s" is the referrer %s', (referrer, expected) => {
	expect(toReferrer(referrer, 'shop.example')).toBe(expected);
});
