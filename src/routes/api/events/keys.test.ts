/** Keys: what may be written with each, as which source, and how often. */
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { connect } from '$lib/server/db/connect';
import { createIngestLimits } from '$lib/server/ingest/rate-limits';
import { createKeyCheck } from '$lib/server/keys/key-check';
import { listKeys, revokeKey } from '$lib/server/keys/key-store';
import {
	BOUND,
	GZIP,
	JSON_TYPE,
	ORDERS,
	QUIET,
	SHOP,
	useEndpoint,
} from '../../../../tests/setup/ingest-endpoint';

const { endpoint, post, makeKey, names } = useEndpoint();

describe('a key', () => {
	beforeEach(() => {
		endpoint.locals.ingestOpen = false;
	});
	const sources = async () =>
		(await endpoint.database.sql`SELECT name, source FROM nowboard.events ORDER BY id`).map(
			({ name, source }) => `${name} of ${source}`,
		);
	const bearer = (key: string) => ({ ...JSON_TYPE, authorization: `Bearer ${key}` });

	test('makes events those of its source, in the header or in the address, and its use is noted', async () => {
		const [shop, orders] = [await makeKey(SHOP), await makeKey(ORDERS)];
		const beacon = { 'content-type': 'text/plain', origin: 'https://shop.test' };
		const statuses = [
			await post('{"name":"one"}', bearer(orders)),
			await post('[{"name":"two","source":"orders"},{"name":"three"}]', bearer(orders)),
			await post('{"name":"beacon"}', beacon, { query: `?key=${shop}` }),
		].map(({ status }) => status);
		expect(statuses).toEqual([202, 202, 202]);
		expect(await sources()).toEqual([
			'one of orders',
			'two of orders',
			'three of orders',
			'beacon of shop',
		]);
		const used = async () =>
			(await listKeys(endpoint.database.sql)).filter(({ lastUsedAt }) => lastUsedAt).length;
		await expect.poll(used).toBeGreaterThanOrEqual(2);
	});

	test('is asked for when there is none; the answer says how to get one, and nothing is saved', async () => {
		const big = JSON.stringify({ name: 'a', properties: { a: 'x'.repeat(100_000) } });
		const { status, headers, body } = await post(big);
		expect(status).toBe(401);
		expect(headers).toMatchObject({ 'www-authenticate': 'Bearer realm="nowboard"' });
		for (const way of [
			'npm run keys -- create',
			'Authorization: Bearer',
			'?key=',
			'INGEST_OPEN=true',
		])
			expect((body as { error: string }).error).toContain(way);
		endpoint.locals.ingestOpen = true;
		await post('{"name":"open"}');
		expect(await sources()).toEqual(['open of api']);
	});

	test('that is wrong and one that was revoked get the same answer, also where events need none', async () => {
		const revoked = await makeKey(SHOP);
		const [{ id } = { id: 0 }] = (await listKeys(endpoint.database.sql)).slice(-1);
		await revokeKey(endpoint.database.sql, id, 'command');
		for (const open of [false, true]) {
			endpoint.locals.ingestOpen = open;
			const answers = [];
			for (const key of [revoked, `${revoked.slice(0, -4)}0000`, 'x'])
				for (const query of ['', `?key=${key}`]) {
					const headers = query ? JSON_TYPE : bearer(key);
					const { status, body } = await post('{"name":"never"}', headers, { query });
					answers.push({ status, body });
				}
			expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
			expect(answers[0]).toMatchObject({ status: 401, body: { details: [] } });
		}
		expect(await sources()).toEqual([]);
	});

	test('writes for its own source alone: a batch with another is refused as a whole', async () => {
		const key = await makeKey(SHOP);
		expect(await post('[{"name":"a"},{"name":"b","source":"orders"}]', bearer(key))).toMatchObject({
			status: 403,
			body: {
				error:
					'Nothing was saved: event 1: source is "orders" and must be left out or be "shop": this key writes for no other source.',
				details: [{ item: 1, path: 'source', value: 'orders' }],
			},
		});
		expect(await sources()).toEqual([]);
	});

	test('with origins is taken from those pages alone; a secret one from no page', async () => {
		const [bound, secret] = [await makeKey(BOUND), await makeKey(ORDERS)];
		const from = (key: string, origin: string) =>
			post('{"name":"a"}', { ...bearer(key), origin }).then(({ status, body }) => [
				status,
				(body as { details?: { value: unknown }[] }).details?.[0]?.value,
			]);
		expect([
			await from(bound, 'https://shop.example'),
			await from(bound, 'https://evil.example'),
			await from(bound, 'null'),
			await from(secret, 'https://shop.example'),
		]).toEqual([
			[202, undefined],
			[403, 'https://evil.example'],
			[403, 'null'],
			[403, 'https://shop.example'],
		]);
		expect(await sources()).toEqual(['a of shop']);
	});

	test('comes before the body: who may not write is told nothing about it, and the connection goes on', async () => {
		const good = await makeKey(ORDERS);
		const bodies: [body: string | Uint8Array, headers: Record<string, string>, status: number][] = [
			['{', {}, 415],
			['{', JSON_TYPE, 400],
			['x'.repeat(400_000), GZIP, 400],
		];
		for (const [body, headers, status] of bodies) {
			expect((await post(body, headers)).status).toBe(401);
			const authorization = `Bearer ${good}`;
			expect((await post(body, { ...headers, authorization })).status).toBe(status);
		}
	});

	test('cannot be checked while the database is away: come again, never a wrong key', async () => {
		const away = createKeyCheck({
			connect: () => connect('postgres://none@127.0.0.1:1/none', { max: 1 }),
			log: QUIET,
			bounds: { waitMs: 0 },
		});
		endpoint.locals.keys = away;
		const key = await makeKey(SHOP);
		for (const open of [false, true]) {
			endpoint.locals.ingestOpen = open;
			expect(await post('{"name":"a"}', bearer(key))).toMatchObject({
				status: 503,
				headers: { 'retry-after': '2', 'access-control-allow-origin': '*' },
				body: { error: 'The database gave no answer about this key in time.' },
			});
		}
		await away.close();
	});

	test('of a page that sends too many events in one request is refused as a whole, and that of a server is not', async () => {
		endpoint.locals.limits = createIngestLimits({ pageEvents: 2 });
		const [page, server] = [await makeKey(SHOP), await makeKey(ORDERS)];
		const three = '[{"name":"a"},{"name":"b"},{"name":"c"}]';
		expect(await post(three, bearer(page))).toMatchObject({
			status: 429,
			body: { error: expect.stringContaining('at most 2 events a minute') },
		});
		expect(await names()).toEqual([]);
		expect((await post(three, bearer(server))).status).toBe(202);
		expect(await names()).toEqual(['a', 'b', 'c']);
	});

	test('of a page that weighs too much unpacked is refused before anything is made of it, and that of a server is not', async () => {
		endpoint.locals.limits = createIngestLimits({ pageBytes: 200 });
		const [page, server] = [await makeKey(SHOP), await makeKey(ORDERS)];
		const heavy = JSON.stringify({ name: 'a', properties: { a: 'x'.repeat(200) } });
		const packed = (key: string) =>
			post(gzipSync(heavy), { ...bearer(key), 'content-encoding': 'gzip' });
		expect(gzipSync(heavy).length).toBeLessThan(100);
		const parse = vi.spyOn(JSON, 'parse');
		for (const answer of [await post(heavy, bearer(page)), await packed(page)])
			expect(answer).toMatchObject({
				status: 429,
				headers: { 'retry-after': '60' },
				body: { error: expect.stringContaining('at most 200 bytes of events a minute') },
			});
		expect(parse.mock.calls.filter(([text]) => text === heavy)).toEqual([]);
		parse.mockRestore();
		expect(await names()).toEqual([]);
		expect([(await post(heavy, bearer(server))).status, (await packed(server)).status]).toEqual([
			202, 202,
		]);
	});

	test('that comes too often is told when to come again, and the connection goes on', async () => {
		endpoint.locals.limits = createIngestLimits({ pageRequests: 1, wrongKeys: 1 });
		const key = await makeKey(SHOP);
		const from = (address: string, given = key) =>
			post('{"name":"a"}', { ...bearer(given), 'x-address': address });
		expect((await from('192.0.2.1')).status).toBe(202);
		expect(await from('192.0.2.1')).toMatchObject({
			status: 429,
			headers: {
				'retry-after': '60',
				'access-control-expose-headers': 'retry-after, www-authenticate',
			},
			body: {
				error:
					'Rate limit exceeded; nothing was saved. From one address at most 1 requests a minute are taken with the same public key. Retry in 60 s.',
				details: [],
			},
		});
		expect((await from('192.0.2.2')).status).toBe(202);
		const guesses = [await from('192.0.2.3', 'x'), await from('192.0.2.3', 'y')];
		expect(guesses.map(({ status }) => status)).toEqual([401, 429]);
		// one customer has a whole network of IPv6 addresses
		expect((await from('2001:db8::1')).status).toBe(202);
		expect((await from('2001:db8::2')).status).toBe(429);
		expect(endpoint.locals.rejections.counts()).toMatchObject({ limited: 3, wrong_key: 1 });
	});
});
