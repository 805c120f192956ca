import { describe, expect, test } from 'vitest';
import { toPageView } from './page-view';
import { parseEvents } from './parse-events';

test.each([
	['https://shop.example', '/'],
	['https://shop.example/%C3%BC/', '/ü'],
	['https://shop.example?page_id=7', '/?page_id=7'],
	['https://shop.example:8080/a#/b', '/a#/b'],
	['file:///guide/a.html', '/guide/a.html'],
	['null/home/a.html', '/home/a.html'],
	['/a/', '/a'],
	['nullsrcdoc', undefined],
	['about:blank', undefined],
	['', undefined],
	[7, undefined],
])('the path of the address %s is %s', (url, path) => {
	expect(toPageView({ url })).toEqual(path === undefined ? { url } : { url, path });
});

test('a path that was sent is not read from the address', () => {
	const url = 'https://shop.example/secret';
	expect(toPageView({ url, path: '/reset/' })).toEqual({ url, path: '/reset' });
	expect(toPageView({ url, path: 7 })).toEqual({ url, path: 7 });
});

test('slash is true, or an attribute that is on', () => {
	const paths = [true, '', '1', 'true', 'false', false, undefined].map(
		(slash) => toPageView({ path: '/a/', slash }).path,
	);
	expect(paths).toEqual(['/a/', '/a/', '/a/', '/a/', '/a', '/a', '/a']);
	expect(toPageView({ slash: '' })).toEqual({ slash: true });
	expect(toPageView({ slash: 'false' })).toEqual({});
});

describe('utm', () => {
	test('is stored as parameters, the known ones that say something', () => {
		const utm = ['&utm_source=a%20b', '&utm_medium=', '&utm_id=7', '?utm_term=%E3%81%82+b', 7];
		expect(toPageView({ utm })).toEqual({ utm_source: 'a b', utm_term: 'あ b' });
	});

	test('does not replace parameters that were sent, and another value is kept', () => {
		expect(toPageView({ utm: ['?utm_source=a'], utm_source: 'b' })).toEqual({ utm_source: 'b' });
		expect(toPageView({ utm: 'mine' })).toEqual({ utm: 'mine' });
		expect(toPageView({ utm: null })).toEqual({});
	});
});

test('texts that Postgres cannot store lose what cannot be stored', () => {
	expect(toPageView({ title: 'a\0b\ud800c 😀', utm: ['?utm_term=%00x'] })).toEqual({
		title: 'abc 😀',
		utm_term: 'x',
	});
});

describe('a page view that is too large', () => {
	const long = {
		url: `https://shop.example/${'%E3%81%82'.repeat(1_000)}`,
		referrer: `https://search.example/${'r'.repeat(5_000)}`,
		title: '€'.repeat(5_000),
		utm: ['source', 'medium', 'campaign', 'term', 'content'].map(
			(name) => `&utm_${name}=${'€'.repeat(5_000)}`,
		),
	};

	test('is cut between characters until it passes the limits', () => {
		const { url, path, title } = toPageView(long);
		expect(() => decodeURIComponent(url as string)).not.toThrow();
		expect([(path as string).at(-1), (title as string).length]).toEqual(['あ', 200]);
		const body = { name: 'page_view', properties: long };
		expect(parseEvents(body, 0)).toMatchObject({ ok: true });
	});

	test('(control) one that fits is not cut, and other properties are refused', () => {
		const fits = { path: '/', referrer: 'r'.repeat(3_000), title: 't'.repeat(3_000) };
		expect(toPageView(fits)).toEqual(fits);
		const body = { name: 'page_view', properties: { other: 'x'.repeat(9_000) } };
		expect(parseEvents(body, 0)).toMatchObject({ ok: false });
	});
});
