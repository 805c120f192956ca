/** What is known of a visitor: robots, own visits, and sessions of those who send none. */
import { describe, expect, test } from 'vitest';
import { createOwnVisits } from '$lib/server/ignored/own-visits';
import { JSON_TYPE, ORDERS, SHOP, useEndpoint } from '../../../../tests/setup/ingest-endpoint';

const { endpoint, post, makeKey, names } = useEndpoint();

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI =
	'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15';

describe('robots', () => {
	const GOOGLE = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

	test('with a public key are answered, counted, and not recorded; with a secret key or without one they are', async () => {
		const [page, server] = [await makeKey(SHOP), await makeKey(ORDERS)];
		const as = (agent: string, query = '') =>
			post('{"name":"seen"}', { ...JSON_TYPE, 'user-agent': agent }, { query });
		expect(await as(GOOGLE, `?key=${page}`)).toMatchObject({
			status: 202,
			body: { accepted: 0, duplicates: 0, ignored: 'bot' },
		});
		expect(await names()).toEqual([]);
		expect(endpoint.locals.rejections.counts().bot).toBe(1);
		await as(FIREFOX, `?key=${page}`);
		await as('curl/8.14', `?key=${server}`);
		await as(GOOGLE);
		expect(await names()).toEqual(['seen', 'seen', 'seen']);
		expect(endpoint.locals.rejections.counts().bot).toBe(1);
		expect(endpoint.locals.robots.list()).toMatchObject([
			{ name: 'Googlebot', kind: 'search', count: 1 },
		]);
	});
});

test('own visits by address, host and user are answered, counted by reason, and not recorded', async () => {
	endpoint.locals.ownVisits = createOwnVisits({
		addresses: ['198.51.100.0/24'],
		hosts: ['localhost'],
		users: ['team'],
	});
	const page = { ...JSON_TYPE, origin: 'https://shop.example', 'x-address': '192.0.2.1' };
	const send = async (body: unknown, headers: Record<string, string> = page) =>
		(await post(JSON.stringify(body), headers)).body;
	const ignored = (reason: string) => ({ accepted: 0, duplicates: 0, ignored: reason });
	expect(await send({ name: 'office' }, { ...page, 'x-address': '198.51.100.9' })).toEqual(
		ignored('excluded_address'),
	);
	expect(await send({ name: 'dev', properties: { url: 'http://localhost:5173/' } })).toEqual(
		ignored('excluded_host'),
	);
	expect(await send({ name: 'dev' }, { ...page, origin: 'http://localhost:5173' })).toEqual(
		ignored('excluded_host'),
	);
	// of an array, what counts is kept
	expect(
		await send([
			{ name: 'team', userId: 'team' },
			{ name: 'anna', userId: 'anna' },
		]),
	).toEqual({ accepted: 1, duplicates: 0, ignored: 'excluded_user' });
	// a server's address is not its visitor's
	expect(await send({ name: 'server' }, { ...JSON_TYPE, 'x-address': '198.51.100.9' })).toEqual({
		accepted: 1,
		duplicates: 0,
	});
	expect(await names()).toEqual(['anna', 'server']);
	expect(endpoint.locals.rejections.counts()).toMatchObject({
		excluded_address: 1,
		excluded_host: 2,
		excluded_user: 1,
	});
});

describe('a visitor without a session id', () => {
	const sessions = async () =>
		(await endpoint.database.sql`SELECT session_id FROM nowboard.events ORDER BY id`).map(
			({ session_id }) => session_id as string | null,
		);
	const from = (address: string, more: Record<string, string> = {}) => ({
		'content-type': 'text/plain',
		origin: 'https://shop.example',
		'user-agent': FIREFOX,
		'x-address': address,
		...more,
	});

	test('is told from others for the day, and no address is stored', async () => {
		const query = `?key=${await makeKey(SHOP)}`;
		await post('[{"name":"a"},{"name":"b"}]', from('192.0.2.7'), { query });
		await post('{"name":"c"}', from('192.0.2.7', { 'user-agent': SAFARI }), { query });
		await post('{"name":"d"}', from('192.0.2.8'), { query });
		await post('{"name":"e","sessionId":"own"}', from('192.0.2.7'), { query });
		const [a, b, c, d, e] = await sessions();
		expect(a).toMatch(/^day-[\w-]{22}$/);
		expect(b).toBe(a);
		expect(new Set([a, c, d]).size).toBe(3);
		expect(e).toBe('own');
		for (const table of ['events', 'meta', 'ingest_keys', 'audit'])
			expect(
				JSON.stringify(
					await endpoint.database.sql`SELECT * FROM nowboard.${endpoint.database.sql(table)}`,
				),
			).not.toMatch(/192\.0\.2\./);
	});

	test('clients with Global Privacy Control or Do Not Track, and clients other than pages, stay without', async () => {
		const query = `?key=${await makeKey(SHOP)}`;
		await post('{"name":"a"}', from('192.0.2.7', { 'sec-gpc': '1' }), { query });
		await post('{"name":"b"}', from('192.0.2.7', { dnt: '1' }), { query });
		await post('{"name":"c"}', from('192.0.2.7', { dnt: '0' }), { query });
		const secret = { ...JSON_TYPE, authorization: `Bearer ${await makeKey(ORDERS)}` };
		await post('{"name":"d"}', secret);
		await post('{"name":"e"}');
		await post('{"name":"f"}', from('192.0.2.7'));
		const day = expect.stringMatching(/^day-/) as string;
		expect(await sessions()).toEqual([null, null, day, null, null, day]);
	});

	test('is not saved without one while the salt cannot be read: come again', async () => {
		endpoint.locals.visitors = { of: () => Promise.reject(new Error('no answer within 2000 ms')) };
		expect(await post('{"name":"a"}', from('192.0.2.7'))).toMatchObject({
			status: 503,
			headers: { 'retry-after': '2' },
			body: { error: 'The database did not return the salt of the day in time.' },
		});
		expect((await post('{"name":"b","sessionId":"own"}', from('192.0.2.7'))).status).toBe(202);
		expect(await names()).toEqual(['b']);
	});
});
