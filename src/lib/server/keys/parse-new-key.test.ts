import { describe, expect, test } from 'vitest';
import { parseNewKey } from './parse-new-key';

/** "path: rule" of every error, or the key. */
function verdict(input: Parameters<typeof parseNewKey>[0]) {
	const parsed = parseNewKey(input);
	return parsed.ok ? parsed.key : parsed.errors.map(({ path, rule }) => `${path}: ${rule}`);
}
const shop = { kind: 'public', source: 'shop' };

test('a kind and a source make a key; its name is the source, and it has no origins', () => {
	expect(verdict(shop)).toEqual({ kind: 'public', source: 'shop', name: 'shop', origins: [] });
	expect(verdict({ kind: 'secret', source: 'orders', name: 'backend' })).toEqual({
		kind: 'secret',
		source: 'orders',
		name: 'backend',
		origins: [],
	});
});

test('every mistake is named at once', () => {
	expect(verdict({})).toEqual([
		'kind: must be "public" (it stands in pages) or "secret" (it stays on servers)',
		'source: must have 1 to 120 characters',
	]);
	expect(
		verdict({
			kind: 'secret',
			source: '€'.repeat(121),
			name: 'a\0',
			origins: ['https://a.example'],
		}),
	).toEqual([
		'source: must have 1 to 120 characters',
		'name: must not contain NUL (\\u0000), which Postgres cannot store',
		'origin: must be left out: a secret key is taken from no page',
	]);
	const many = Array.from({ length: 51 }, (_, n) => `https://${n}.example`);
	expect(verdict({ ...shop, origins: many })).toEqual(['origin: must be at most 50']);
});

test('lengths are counted in characters, as Postgres counts them', () => {
	expect(verdict({ ...shop, source: '😀'.repeat(120) })).toMatchObject({
		source: '😀'.repeat(120),
	});
});

describe('an origin', () => {
	test.each([
		['https://shop.example', 'https://shop.example'],
		['https://shop.example/', 'https://shop.example'],
		['HTTPS://Shop.Example:443', 'https://shop.example'],
		['http://localhost:5173', 'http://localhost:5173'],
		['https://grüße.example', 'https://xn--gre-6ka8l.example'],
	])('%s is kept as browsers send it: %s', (given, kept) => {
		expect(verdict({ ...shop, origins: [given, given] })).toMatchObject({ origins: [kept] });
	});

	test.each([
		'shop.example',
		'https://shop.example/path',
		'https://shop.example?',
		'https://user@shop.example',
		'https://*',
		'https://*.shop.example',
		'*',
		'null',
		'',
		'file:///guide',
		'javascript:alert(1)',
	])('"%s" is none', (given) => {
		expect(verdict({ ...shop, origins: [given] })).toEqual([
			'origin: must be an origin, such as https://shop.example',
		]);
	});
});
