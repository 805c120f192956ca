import { describe, expect, test } from 'vitest';
import type { Json } from '../../protocol';
import { MAX_KEY_LENGTH, toWindowRow } from './window-row';

const EVENT = { name: 'page_view', source: 'shop', sessionId: null, createdAt: 0 };
const read = (properties: { [key: string]: Json }) => toWindowRow({ ...EVENT, properties });
const pathOf = (path: Json, slash: Json = null) => read({ path, slash }).path;
const referrerOf = (referrer: Json) => read({ referrer }).referrer;

describe('a page', () => {
	test('is one key, whatever its spelling', () => {
		const sent = ['/über/', '/%C3%BCber', '/%c3%bcber/index.html'];
		expect(sent.map((path) => pathOf(path))).toEqual(sent.map(() => '/über'));
	});

	test('keeps its slash only when `slash` is true', () => {
		const marks = [true, 'true', 1, false, null];
		expect(marks.map((slash) => pathOf('/a/', slash))).toEqual(['/a/', '/a', '/a', '/a', '/a']);
	});

	test('has no key without a text', () => {
		expect(['', ' ', null, 7, true, [], {}].map((path) => pathOf(path))).toEqual(
			Array.from({ length: 7 }, () => null),
		);
	});
});

describe('two long addresses', () => {
	const start = `${encodeURIComponent('блог')}/${encodeURIComponent('как-настроить-сервер-')}`;
	const control = (text: string) => text.slice(0, 120);

	test('with the same first letters are two keys', () => {
		const [a, b] = [`/${start}один`, `/${start}два`];
		expect([pathOf(a), pathOf(b)]).toEqual([
			'/блог/как-настроить-сервер-один',
			'/блог/как-настроить-сервер-два',
		]);
	});

	test('(control) cut at 120 units, they are one', () => {
		const [a, b] = ['один', 'два'].map((end) => control(`/${start}${end}`));
		expect(a).toBe(b);
	});

	test.each([
		['a', 1_000],
		['a', 8_000],
		['日', 2_600],
		['%E9', 2_000],
		['😀', 1_000],
	])(
		'that differ at the end of %s times %i are two keys, shown by their beginning',
		(part, times) => {
			const keys = ['a', 'b'].map((end) => pathOf(`/${part.repeat(times)}${end}`) ?? '');
			expect(new Set(keys).size).toBe(2);
			for (const key of keys) {
				expect(key.length).toBeLessThanOrEqual(MAX_KEY_LENGTH);
				expect(key).toMatch(/^[^…]{270,}… [\w-]{10}$/);
				expect(key.isWellFormed()).toBe(true);
				expect(key).not.toMatch(/%.?…/);
			}
		},
	);

	test('are one key, however they are encoded', () => {
		const long = 'ü'.repeat(MAX_KEY_LENGTH);
		expect(pathOf(`/${encodeURIComponent(long)}/`)).toBe(pathOf(`/${long}`));
	});

	test('are told apart as referrers too', () => {
		const [a, b] = ['a', 'b'].map((end) => referrerOf(`app ${'x'.repeat(500)}${end}`));
		expect(a).not.toBe(b);
		const label = 'x'.repeat(60);
		const host = `${label}.${label}.${label}.example`;
		expect(referrerOf(`https://www.${host}/a`)).toBe(host);
	});
});
