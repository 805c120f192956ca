import fc from '../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import { cut, toPath, toReadableProperties } from './path';

/** Each page once: the spelling that is stored and shown, and others of the same page. */
const PAGES: [stored: string, ...others: string[]][] = [
	['/', '//', '/index.html', '/index.htm', '/INDEX.HTML', '/?', '/#', ' / ', '/?#'],
	['/about', '/about/', '/about//', '/about/index.html', '/about/index.htm', '/about/?', '/about#'],
	['/About', '/About/', '/%41bout'],
	['/index', '/index/'],
	['/about.html', '/about%2ehtml'],
	['/my-index.html'],
	['/index.html/a'],
	['/index.php', '/index.php/'],
	['/a/b', '/a/b/', '/%61/%62'],
	['/a//b', '/a//b/'],
	['/a%2Fb', '/a%2fb', '/a%2Fb/'],
	['/a%5Cb', '/a%5cb'],
	['/a\\b'],
	['/a%3Fb', '/a%3fb'],
	['/a%23b'],
	['/~me', '/%7Eme', '/%7eme/'],
	['/a,b', '/a%2Cb', '/a%2cb'],
	['/a:b', '/a%3Ab'],
	['/a+b', '/a%2Bb'],
	['/a%20b', '/a b'],
	['/a%09b', '/a\tb'],
	['/a%C2%A0b', '/a\u00a0b', '/a%c2%a0b'],
	['/100%25', '/100%', '/100%25/'],
	['/100%2541', '/100%25%34%31'],
	['/%2541', '/%%34%31', '/%25%341'],
	['/%25zz', '/%zz'],
	['/über-uns', '/%C3%BCber-uns', '/%c3%bcber-uns', '/%C3%bcber%2Duns/', '/u\u0308ber-uns'],
	['/你好', '/%E4%BD%A0%E5%A5%BD', '/%e4%bd%a0%e5%a5%bd', '/%e4%BD%a0好/'],
	['/блог/привет', '/%D0%B1%D0%BB%D0%BE%D0%B3/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82'],
	['/مرحبا', '/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7'],
	['/नमस्ते', '/%E0%A4%A8%E0%A4%AE%E0%A4%B8%E0%A5%8D%E0%A4%A4%E0%A5%87'],
	['/😀', '/%F0%9F%98%80', '/%f0%9f%98%80/'],
	['/❤\ufe0f', '/%E2%9D%A4%EF%B8%8F'],
	['/👨\u200d👩', '/%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9'],
	['/می\u200cخواهم', '/%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85'],
	['/café', '/caf%C3%A9', '/cafe%CC%81', '/cafe\u0301'],
	['/caf%E9', '/caf%e9'],
	['/a%E2%80%AEb', '/a\u202eb', '/a%e2%80%aeb'],
	['/a%E2%80%8Bb', '/a\u200bb'],
	['/a%EF%BB%BF', '/a%ef%bb%bf'],
	['/a%F3%A0%80%81', '/a\u{e0001}'],
	['/a%00', '/a\0'],
	['/%E3%81', '/%e3%81'],
	['/%ED%A0%80', '/%ed%a0%80'],
	['/%C0%AF', '/%c0%af'],
	['/%F5%80%80%80'],
	['/%80', '/%80/'],
	['/%2F\u0307', '/%2f%CC%87'],
	['/?page_id=7', '/?page_id=%37', '//?page_id=7', '/index.html?page_id=7'],
	['/?page_id=8'],
	['/index.php?topic=3', '/index.php?topic=3#'],
	['/?q=a%26b', '/?q=%61%26b'],
	['/?q=a&b'],
	['/?q=ü', '/?q=%C3%BC', '/?q=%c3%bc'],
	['/?q=/a?b', '/?q=%2Fa%3fb'],
	['/app#/', '/app/#/'],
	['/app#/settings', '/app#/settings/', '/app/#/settings', '/app#/settings/index.html'],
	['/app#!/settings', '/app/#!/settings/'],
	['/app#one', '/app/#one'],
	['/app#über', '/app#%C3%BCber'],
	['/app?a=1#two', '/app/?a=1#two'],
	['about', '%61bout', ' about '],
	['about/'],
	['Home screen'.replace(' ', '%20'), 'Home screen'],
	['https://shop.example/', 'https://shop.example', 'HTTPS://Shop.Example/index.html'],
	['https://shop.example/über', 'https://shop.example/%C3%BCber/'],
	['', ' ', '?', '#', '?#'],
];

describe('the table of paths', () => {
	test('has at least 60 pages, each of them once', () => {
		expect(PAGES.length).toBeGreaterThanOrEqual(60);
		expect(new Set(PAGES.map(([stored]) => stored)).size).toBe(PAGES.length);
	});

	test.each(PAGES)('%j', (stored, ...others) => {
		for (const sent of [stored, ...others]) expect([sent, toPath(sent)]).toEqual([sent, stored]);
	});

	test('no spelling belongs to two pages', () => {
		const all = PAGES.flat();
		expect(new Set(all).size).toBe(all.length);
	});

	test('with keepSlash, the slash at the end makes another page', () => {
		const sent = ['/', '/a', '/a/', '/a/index.html', '/%C3%BC/', '/app#/b/', '/app#/b', ''];
		expect(sent.map((path) => toPath(path, true))).toEqual(
			['/', '/a', '/a/', '/a/', '/ü/', '/app#/b/', '/app#/b', ''], // prettier-ignore
		);
	});
});

/** Anything a sender may write, with much of what is special in it. */
const anyPath = fc
	.array(
		fc.oneof(
			fc.constantFrom(...'/?#%\\ .+&=', '%2F', '%c3', '%bc', '%E3%81', '%25', 'index.html', '#/'),
			fc.string({ unit: 'binary' }),
			fc.string({ unit: 'grapheme' }).map((text) => encodeURIComponent(text)),
		),
	)
	.map((parts) => parts.join(''));

describe('whatever was sent', () => {
	test('what was read once is not changed by reading it again', () => {
		fc.assert(
			fc.property(anyPath, fc.boolean(), (path, keepSlash) => {
				const once = toPath(path, keepSlash);
				expect(toPath(once, keepSlash)).toBe(once);
			}),
			{ numRuns: 2_000 },
		);
	});

	test('a path reads the same encoded in upper case, in lower case and raw', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
				const name = text.replace(/[%/?#\\]/g, '-');
				const encoded = encodeURIComponent(name);
				const lower = encoded.replace(/%../g, (code) => code.toLowerCase());
				const stored = toPath(`/x${encoded}x`);
				expect([toPath(`/x${lower}x`), toPath(`/x${name}x`)]).toEqual([stored, stored]);
			}),
		);
	});

	test('distinguishes two names of any length', () => {
		const name = fc.string({ unit: 'grapheme', maxLength: 400 });
		fc.assert(
			fc.property(name, name, (a, b) => {
				const [first, second] = [a, b].map((text) => toPath(`/x${encodeURIComponent(text)}x`));
				expect(first === second).toBe(a.normalize('NFC') === b.normalize('NFC'));
			}),
		);
	});

	test('(control) decodeURI splits one page, and joins two', () => {
		expect(decodeURI('/a/')).not.toBe(decodeURI('/a'));
		expect(decodeURIComponent('/a%2Fb')).toBe(decodeURIComponent('/a/b'));
		expect(() => decodeURI('/caf%E9')).toThrow();
	});
});

describe('a text that is cut', () => {
	test.each([
		['/short', 6, '/short'],
		['/longer', 6, '/longe'],
		['/ab😀', 4, '/ab'],
		['/ab👨\u200d👩c', 7, '/ab'],
		['/cafe\u0301s', 5, '/caf'],
		['/a%20b', 3, '/a'],
		['/a%20b', 4, '/a'],
		['/a%20b', 5, '/a%20'],
		['/a%E3%81%82b', 10, '/a'],
		['/a%E3%81%82b', 9, '/a'],
		['/a%E3%81%82%E3%81%82', 16, '/a%E3%81%82'],
		['/ж%D0%B6', 5, '/ж'],
		['', 0, ''],
	])('%s to %i is %s', (text, max, expected) => {
		expect(cut(text, max)).toBe(expected);
	});

	test('is at most so long, begins like the whole, and can be decoded', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), fc.nat(200), (text, max) => {
				const encoded = encodeURIComponent(text);
				const short = cut(encoded, max);
				expect(short.length).toBeLessThanOrEqual(max);
				expect(encoded.startsWith(short)).toBe(true);
				expect(text.startsWith(decodeURIComponent(short))).toBe(true);
			}),
		);
	});

	test('(control) a slice cannot be decoded', () => {
		expect(() => decodeURIComponent('/a%E3%81%82b'.slice(0, 10))).toThrow();
	});
});

test('of the properties of an event, only addresses are decoded to be shown', () => {
	const shown = toReadableProperties({
		path: '/%C3%BC/',
		url: 'https://x.example/%E4%BD%A0?a=%26',
		referrer: 7,
		title: '100%25',
	});
	expect(shown).toEqual({
		path: '/ü/',
		url: 'https://x.example/你?a=&',
		referrer: 7,
		title: '100%25',
	});
});
