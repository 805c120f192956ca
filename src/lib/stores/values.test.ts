import { expect, test } from 'vitest';
import { readValues } from './values';

const VALUES = {
	dimension: 'os',
	at: '2026-03-01T12:00:00.000Z',
	rows: [{ key: 'Linux', count: 2 }],
	other: 1,
	values: 2,
	measures: null,
};
const signal = new AbortController().signal;
const query = new URLSearchParams({ dimension: 'os', f: 'country:AT' });

test('reads the values that the query asks for', async () => {
	const urls: string[] = [];
	const fetcher = (url: unknown) => {
		urls.push(String(url));
		return Promise.resolve(new Response(JSON.stringify(VALUES)));
	};
	expect(await readValues('/values', query, signal, fetcher as typeof fetch)).toEqual(VALUES);
	expect(urls).toEqual(['/values?dimension=os&f=country%3AAT']);
});

test.each([
	['a refusal', () => new Response('{"message":"no"}', { status: 429 })],
	['another answer', () => new Response('<html>')],
])('%s is no list of values', async (_, answer) => {
	await expect(readValues('/values', query, signal, async () => answer())).rejects.toThrow(
		'values',
	);
});
