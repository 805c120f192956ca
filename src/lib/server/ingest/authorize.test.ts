import { describe, expect, test } from 'vitest';
import { admit, refuseSources } from './authorize';
import { createIngestLimits } from './rate-limits';
import type { IngestKey } from '../keys/key-store';
import { UnavailableError } from '../db/errors';

const of = (id: number, more: Partial<IngestKey>): IngestKey => ({
	id,
	prefix: '',
	kind: 'public',
	source: 'shop',
	name: '',
	origins: [],
	...more,
});
const KEYS: Record<string, IngestKey> = {
	pub: of(1, {}),
	bound: of(2, { origins: ['https://shop.example', 'https://www.shop.example'] }),
	sec: of(3, { kind: 'secret', source: 'orders' }),
};
const keys = {
	check: (key: string) =>
		key === 'away'
			? Promise.reject(new UnavailableError('Not now.'))
			: Promise.resolve(KEYS[key] ?? null),
	knows: (key: string) => key === 'pub',
};

/** The source that is admitted, or status and reason. */
async function ask(
	headers: Record<string, string>,
	query = '',
	open = false,
	limits = createIngestLimits(),
) {
	const admission = await admit({
		headers: new Headers(headers),
		query: new URLSearchParams(query),
		keys,
		limits,
		network: 'here',
		open,
	});
	return admission.ok ? (admission.key?.source ?? null) : `${admission.status} ${admission.reason}`;
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('where the key stands', () => {
	test.each([
		['in the header', bearer('pub'), '', 'shop'],
		['in the header, in any case', { authorization: 'bEARER   pub ' }, '', 'shop'],
		['in the address', {}, 'key=pub', 'shop'],
		['in both: the header wins', bearer('sec'), 'key=pub', 'orders'],
		['twice in the address: the first', {}, 'key=pub&key=sec', 'shop'],
		['nowhere', {}, '', '401 no_key'],
		['nowhere, but for an empty place', { authorization: 'Bearer ' }, 'key=', '401 no_key'],
		['beside a proxy’s own password', { authorization: 'Basic cHViOnB1Yg==' }, 'key=pub', 'shop'],
		['as a password', { authorization: 'Basic pub' }, '', '401 no_key'],
		['without its scheme', { authorization: 'pub' }, '', '401 no_key'],
		['in another case', bearer('PUB'), '', '401 wrong_key'],
		['with something behind it', bearer('pub, sec'), '', '401 wrong_key'],
		['in a cookie', { cookie: 'key=pub' }, '', '401 no_key'],
	] as const)('%s', async (_, headers, query, expected) => {
		expect(await ask({ ...headers }, query)).toBe(expected);
	});
});

describe('a page’s origin', () => {
	test.each([
		['of the first', 'bound', 'https://shop.example', 'shop'],
		['of the second', 'bound', 'https://www.shop.example', 'shop'],
		['another', 'bound', 'https://evil.example', '403 origin'],
		['one that begins like it', 'bound', 'https://shop.example.evil.example', '403 origin'],
		['another port', 'bound', 'https://shop.example:8443', '403 origin'],
		['another scheme', 'bound', 'http://shop.example', '403 origin'],
		['hidden', 'bound', 'null', '403 origin'],
		['none', 'bound', null, '403 origin'],
		['any, where none is named', 'pub', 'https://any.example', 'shop'],
		['none, where none is named', 'pub', null, 'shop'],
		['none, with a secret key', 'sec', null, 'orders'],
		['any, with a secret key', 'sec', 'https://shop.example', '403 origin'],
	] as const)('%s', async (_, key, origin, expected) => {
		expect(await ask({ ...bearer(key), ...(origin && { origin }) })).toBe(expected);
	});
});

test('with open ingest, a key that is sent is still checked', async () => {
	expect([
		await ask({}, '', true),
		await ask(bearer('pub'), '', true),
		await ask(bearer('wrong'), '', true),
		await ask(bearer('away'), '', true),
	]).toEqual([null, 'shop', '401 wrong_key', '503 unavailable']);
});

test('a database that is away is no wrong key; a defect is no answer', async () => {
	expect(await ask(bearer('away'))).toBe('503 unavailable');
	const broken = { ...keys, check: () => Promise.reject(new Error('a defect')) };
	const query = new URLSearchParams('key=pub');
	const limits = createIngestLimits();
	await expect(
		admit({ headers: new Headers(), query, keys: broken, limits, network: 'here', open: true }),
	).rejects.toThrow('a defect');
});

describe('too often', () => {
	test('wrong keys are not looked up any more; one that was good here is, and no key needs no looking up', async () => {
		const limits = createIngestLimits({ wrongKeys: 2 });
		const say = (key: string) => ask(bearer(key), '', true, limits);
		expect([await say('wrong'), await say('wrong'), await say('wrong')]).toEqual([
			'401 wrong_key',
			'401 wrong_key',
			'429 limited',
		]);
		expect([await say('sec'), await say('pub')]).toEqual(['429 limited', 'shop']);
		expect([await ask({}, '', true, limits), await ask({}, '', false, limits)]).toEqual([
			null,
			'401 no_key',
		]);
	});

	test('with one key; without a key there is no limit', async () => {
		const limits = createIngestLimits({ pageRequests: 1, keyRequests: 1 });
		const say = (key: string) => ask(bearer(key), '', true, limits);
		expect([await say('pub'), await say('pub'), await say('sec'), await say('sec')]).toEqual([
			'shop',
			'429 limited',
			'orders',
			'429 limited',
		]);
		expect([await ask({}, '', true, limits), await ask({}, '', true, limits)]).toEqual([
			null,
			null,
		]);
	});
});

test('an event of another source is named with its place and the rule', () => {
	const event = (source: string) => ({
		eventId: null,
		name: 'a',
		source,
		sessionId: null,
		properties: {},
		context: null,
		createdAt: null,
	});
	expect(refuseSources([event('shop'), event('shop')], 'shop', true)).toBeNull();
	const rule = 'must be left out or be "shop": this key writes for no other source';
	expect(refuseSources([event('shop'), event('x'), event('y')], 'shop', true)).toEqual({
		reason: 'source',
		status: 403,
		error: `Nothing was saved: event 1: source is "x" and ${rule} (and 1 more).`,
		details: [
			{ item: 1, path: 'source', value: 'x', rule },
			{ item: 2, path: 'source', value: 'y', rule },
		],
	});
	expect(refuseSources([event('x')], 'shop', false)).toMatchObject({
		error: `Nothing was saved: source is "x" and ${rule}.`,
		details: [{ path: 'source', value: 'x', rule }],
	});
});
