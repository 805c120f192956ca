/** The route as a client sees it: real HTTP through the adapter's own conversion, real ingest, real Postgres. */
import { createContextReader, type ContextReader } from '$lib/server/ingest/context';
import { once } from 'node:events';
import { Agent, createServer, request as send, type Server } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { getRequest, setResponse } from '@sveltejs/kit/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBodyBudget, type BodyBudget } from '$lib/server/http/body-budget';
import { readRest } from '$lib/server/http/read-body';
import { createIngest, type Ingest } from '$lib/server/ingest/group-commit';
import { connect } from '$lib/server/db/connect';
import { createKey, listKeys, revokeKey } from '$lib/server/keys/key-store';
import { createKeyCheck, type KeyCheck } from '$lib/server/keys/key-check';
import { createIngestLimits, type IngestLimits } from '$lib/server/ingest/rate-limits';
import type { NewKey } from '$lib/server/keys/parse-new-key';
import { createOwnVisits, type OwnVisits } from '$lib/server/ignored/own-visits';
import { createRobots, type Robots } from '$lib/server/ignored/robots';
import { createRejections, type Rejections } from '$lib/server/ingest/rejections';
import { RefusedError } from '$lib/server/ingest/submission';
import { createVisitorIds, type VisitorIds } from '$lib/server/ingest/visitor-salt';
import { createDatabase, type TestDatabase } from '../../../../tests/setup/database';
import { OPTIONS, POST } from './+server';
import { UnavailableError } from '$lib/server/db/errors';

type Answer = { status: number; headers: Record<string, unknown>; body: unknown };
type Handler = (event: object) => Response | Promise<Response>;

const LIMIT = 512 * 1024;
const QUIET = { info: () => {}, warn: () => {} };
let database: TestDatabase;
let ingest: Ingest;
let keys: KeyCheck;
let locals: {
	context: ContextReader;
	bodies: BodyBudget;
	ingest: Ingest;
	ingestOpen: boolean;
	keys: KeyCheck;
	limits: IngestLimits;
	rejections: Rejections;
	ownVisits: OwnVisits;
	robots: Robots;
	visitors: Pick<VisitorIds, 'of'>;
};
let server: Server;
/** as adapter-node's BODY_SIZE_LIMIT */
let bodySizeLimit: number;
/** one connection, kept: a refused body that is not read would block the next request on it */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
	database = await createDatabase();
	ingest = createIngest({ connect: () => connect(database.url, { max: 1 }), log: QUIET });
	keys = createKeyCheck({ connect: () => connect(database.url, { max: 1 }), log: QUIET });
	server = createServer((req, res) => {
		void (async () => {
			const request = await getRequest({ request: req, base: 'http://localhost', bodySizeLimit });
			const set: Record<string, string> = {};
			const setHeaders = (headers: Record<string, string>) => void Object.assign(set, headers);
			const handler = (req.method === 'OPTIONS' ? OPTIONS : POST) as unknown as Handler;
			// as SvelteKit does it: headers that were set go on every answer, also on that to a throw
			const url = new URL(request.url);
			const getClientAddress = () => request.headers.get('x-address') ?? '192.0.2.1';
			const response = await Promise.resolve(
				handler({ request, url, locals, setHeaders, getClientAddress }),
			).catch(() => new Response(null, { status: 500 }));
			for (const [name, value] of Object.entries(set)) response.headers.set(name, value);
			if (!(await readRest(req))) response.headers.set('connection', 'close');
			await setResponse(res, response);
		})();
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
});
beforeEach(async () => {
	locals = {
		bodies: createBodyBudget(),
		context: createContextReader({ countries: () => null, countryHeader: null }),
		ingest,
		ingestOpen: true,
		keys,
		limits: createIngestLimits(),
		rejections: createRejections(),
		ownVisits: createOwnVisits(),
		robots: createRobots(),
		visitors: createVisitorIds(database.sql),
	};
	bodySizeLimit = LIMIT;
	await database.sql`TRUNCATE nowboard.events`;
});
afterAll(async () => {
	agent.destroy();
	server.close();
	await keys.close();
	await ingest.close();
	await database.drop();
});

const JSON_TYPE = { 'content-type': 'application/json' };
const GZIP = { ...JSON_TYPE, 'content-encoding': 'gzip' };

function post(
	body: string | Uint8Array | undefined,
	headers: Record<string, string> = JSON_TYPE,
	{ method = 'POST', query = '' } = {},
): Promise<Answer> {
	const { port } = server.address() as { port: number };
	return new Promise((resolve, reject) => {
		const path = `/api/events${query}`;
		const req = send({ port, host: '127.0.0.1', path, method, headers, agent });
		req.on('error', reject);
		req.on('response', (res) => {
			const chunks: Buffer[] = [];
			res.on('data', (chunk: Buffer) => chunks.push(chunk));
			res.on('end', () => {
				const text = Buffer.concat(chunks).toString();
				const parsed: unknown = text === '' ? null : JSON.parse(text);
				resolve({ status: res.statusCode ?? 0, headers: res.headers, body: parsed });
			});
		});
		req.end(body);
	});
}
const SHOP: NewKey = { kind: 'public', source: 'shop', name: 'shop', origins: [] };
const BOUND: NewKey = { ...SHOP, origins: ['https://shop.example'] };
const ORDERS: NewKey = { kind: 'secret', source: 'orders', name: 'orders', origins: [] };
const makeKey = async (input: NewKey) => (await createKey(database.sql, input, 'command')).key;

const names = async () =>
	(await database.sql`SELECT name FROM nowboard.events ORDER BY id`).map(
		({ name }) => name as string,
	);

test('one event, an array, and what sendBeacon sends are saved and counted', async () => {
	const eventId = 'a94a8fe5-ccb1-4ba6-9c4c-0873d391e987';
	const answers = [
		await post('{"name":"one","properties":{"a":[1,"ü"]}}'),
		await post(
			JSON.stringify([{ name: 'two', eventId }, { name: 'three' }, { name: 'two', eventId }]),
		),
		await post('{"name":"beacon"}', {
			'content-type': 'text/plain;charset=UTF-8',
			origin: 'https://shop.test',
		}),
		await post('\ufeff {"name":"mark"} ', { 'content-type': 'Application/JSON; charset="utf-8"' }),
	];
	expect(answers.map(({ status, body }) => [status, body])).toEqual([
		[202, { accepted: 1, duplicates: 0 }],
		[202, { accepted: 2, duplicates: 1 }],
		[202, { accepted: 1, duplicates: 0 }],
		[202, { accepted: 1, duplicates: 0 }],
	]);
	expect(await names()).toEqual(['one', 'two', 'three', 'beacon', 'mark']);
});

test('gzip is unpacked, by either of its names, from a page as well', async () => {
	const batch = Array.from({ length: 100 }, (_, n) => ({ name: `packed ${n}` }));
	expect(await post(gzipSync(JSON.stringify(batch)), GZIP)).toMatchObject({
		status: 202,
		body: { accepted: 100 },
	});
	const headers = { 'content-type': 'text/plain', 'content-encoding': 'X-GZIP' };
	expect((await post(gzipSync('{"name":"ü"}'), headers)).status).toBe(202);
	expect(await names()).toEqual([...batch.map(({ name }) => name), 'ü']);
});

test('a timestamp that was clamped is reported, and only then', async () => {
	const from = '2001-01-01T00:00:00Z';
	const { status, body } = await post(
		JSON.stringify([{ name: 'a' }, { name: 'b', timestamp: from }]),
	);
	const to = new Date(
		(await database.sql`SELECT created_at FROM nowboard.events WHERE name = 'b'`)[0]
			?.created_at as Date,
	).toISOString();
	expect({ status, body }).toEqual({
		status: 202,
		body: { accepted: 2, duplicates: 0, clamped: [{ item: 1, from, to }] },
	});
});

test('one wrong item refuses the batch, named with its place', async () => {
	const { status, body } = await post('[{"name":"fine"},{"name":"","propertys":{}}]');
	expect({ status, body }).toEqual({
		status: 400,
		body: {
			error:
				'Nothing was saved: event 1: propertys is not a field of an event; these are: name, properties, eventId, sessionId, userId, source, timestamp, context (and 1 more).',
			details: [
				{
					item: 1,
					path: 'propertys',
					value: '{…}',
					rule: 'is not a field of an event; these are: name, properties, eventId, sessionId, userId, source, timestamp, context',
				},
				{ item: 1, path: 'name', value: '', rule: 'must have 1 to 120 characters' },
			],
		},
	});
	expect(await names()).toEqual([]);
});

describe('a body that is no event is an error that says what to send', () => {
	const event = '{"name":"never"}';
	test.each([
		['no type', event, {}, 415, 'The request has no Content-Type.'],
		[
			'a form',
			event,
			{ 'content-type': 'application/x-www-form-urlencoded' },
			415,
			'The Content-Type application/x-www-form-urlencoded is not supported.',
		],
		[
			'another charset',
			event,
			{ 'content-type': 'text/plain; charset=iso-8859-1' },
			415,
			'The charset iso-8859-1 is not supported.',
		],
		[
			'packed with brotli',
			brotliCompressSync(event),
			{ ...JSON_TYPE, 'content-encoding': 'br' },
			415,
			'The Content-Encoding br is not supported.',
		],
		[
			'packed twice',
			gzipSync(gzipSync(event)),
			{ ...JSON_TYPE, 'content-encoding': 'gzip, gzip' },
			415,
			'The Content-Encoding gzip, gzip is not supported.',
		],
		['no gzip', event, GZIP, 400, 'The body is not gzip'],
		['cut gzip', gzipSync(event).subarray(0, 20), GZIP, 400, 'The body is not gzip'],
		['broken gzip', gzipSync(event).fill(0x55, 12, 16), GZIP, 400, 'The body is not gzip'],
		['empty gzip', '', GZIP, 400, 'The body is not gzip'],
		['gzip of nothing', gzipSync(''), GZIP, 400, 'The body is empty.'],
		['gzip of no JSON', gzipSync('{'), GZIP, 400, 'The body is not JSON:'],
		['empty', '', JSON_TYPE, 400, 'The body is empty.'],
		['blank', '  ', JSON_TYPE, 400, 'The body is not JSON:'],
		['cut', '{"name":"a"', JSON_TYPE, 400, 'The body is not JSON:'],
		['wrong somewhere', '{"name":"a",}', JSON_TYPE, 400, 'position 12'],
		['UTF-16', Buffer.from(event, 'utf16le'), JSON_TYPE, 400, 'The body is not JSON:'],
		['not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), JSON_TYPE, 400, 'The body is not UTF-8.'],
		['a text', '"never"', JSON_TYPE, 400, 'must be an object'],
		['null', 'null', JSON_TYPE, 400, 'must be an object'],
		['no events', '[]', JSON_TYPE, 400, 'an array of 1 to 500'],
		['NUL', '{"name":"\\u0000"}', JSON_TYPE, 400, 'must not contain NUL'],
		[
			'half a character',
			'{"name":"a","properties":{"k":["\\udc00"]}}',
			JSON_TYPE,
			400,
			'properties.k[0] must not contain a lone surrogate',
		],
		['nested without end', '['.repeat(200_000), JSON_TYPE, 400, 'The body is not JSON:'],
		[
			'nested deeply',
			`{"name":"a","properties":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
			JSON_TYPE,
			400,
			'must be nested at most 5 deep',
		],
	] as const)('%s', async (_, body, headers, status, sentence) => {
		const answer = await post(body as string, headers as unknown as Record<string, string>);
		expect(answer).toMatchObject({
			status,
			headers: { 'access-control-allow-origin': '*', 'content-type': 'application/json' },
			body: { error: expect.stringContaining(sentence) as string },
		});
		const { details } = answer.body as { details: { path: string; rule: string }[] };
		expect(details.filter(({ path, rule }) => path !== '' && rule !== '')).not.toEqual([]);
		expect(await names()).toEqual([]);
		// the connection still works
		expect((await post('{"name":"next"}')).status).toBe(202);
	});

	test('a body that is longer than the limit, by our limit or by the adapter’s, with a length or without', async () => {
		const big = JSON.stringify({ name: 'a', properties: { a: 'x'.repeat(2 * LIMIT) } });
		const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
		const sized = { ...JSON_TYPE, 'content-length': String(Buffer.byteLength(big)) };
		const [ours, theirs] = ['524288 bytes', 'what BODY_SIZE_LIMIT says'];
		const limits: [number, string][] = [
			[LIMIT, theirs],
			[Infinity, ours],
			[1_000, theirs],
		];
		for (const [limit, named] of limits)
			for (const headers of [chunked, sized]) {
				bodySizeLimit = limit;
				expect(await post(big, headers)).toMatchObject({
					status: 413,
					headers: { 'access-control-allow-origin': '*' },
					body: {
						error: `The body is too large: this server takes at most ${named}. Send fewer events at once.`,
						details: [{ path: '(body)' }],
					},
				});
				bodySizeLimit = LIMIT;
				expect((await post('{"name":"next"}')).status).toBe(202);
			}
	});

	test('exactly at the limit a body is read', async () => {
		const batch = Array.from({ length: 64 }, () => ({
			name: 'a',
			properties: { a: 'x'.repeat(8_000) },
		}));
		const text = JSON.stringify(batch);
		expect((await post(text.padEnd(LIMIT))).status).toBe(202);
		expect((await post(text.padEnd(LIMIT + 1))).status).toBe(413);
		expect((await post(gzipSync(text.padEnd(LIMIT)), GZIP)).status).toBe(202);
		expect(await post(gzipSync(text.padEnd(LIMIT + 1)), GZIP)).toMatchObject({
			status: 413,
			body: { error: expect.stringContaining('at most 524288 bytes unpacked') as string },
		});
	});
});

describe('CORS', () => {
	test('a preflight allows JSON, gzip and a key from anywhere, without credentials, for a day', async () => {
		const { status, headers } = await post(
			undefined,
			{ origin: 'https://shop.test' },
			{ method: 'OPTIONS' },
		);
		expect(status).toBe(204);
		expect(headers).toMatchObject({
			'access-control-allow-origin': '*',
			'access-control-allow-methods': 'POST',
			'access-control-allow-headers': 'content-type, content-encoding, authorization',
			'access-control-max-age': '86400',
		});
		expect(headers).not.toHaveProperty('access-control-allow-credentials');
	});

	test('every answer can be read by the page that asked', async () => {
		const broken = (error: Error): Ingest => ({ ...ingest, submit: () => Promise.reject(error) });
		const allowed: [number, unknown][] = [];
		const keep = ({ status, headers }: Answer) =>
			allowed.push([status, headers['access-control-allow-origin']]);
		keep(await post('{"name":"a"}'));
		keep(await post('{'));
		keep(await post('{"name":"a"}', {}));
		keep(await post('{"name":"a"}', JSON_TYPE, { query: `?key=${await makeKey(BOUND)}` }));
		locals.ingestOpen = false;
		keep(await post('{"name":"a"}'));
		locals = { ...locals, ingest: broken(new UnavailableError('Not now.')), ingestOpen: true };
		keep(await post('{"name":"a"}'));
		locals = { ...locals, ingest: broken(new Error('a defect')) };
		keep(await post('{"name":"a"}'));
		expect(allowed).toEqual([202, 400, 415, 403, 401, 503, 500].map((status) => [status, '*']));
	});
});

describe('a key', () => {
	beforeEach(() => {
		locals.ingestOpen = false;
	});
	const sources = async () =>
		(await database.sql`SELECT name, source FROM nowboard.events ORDER BY id`).map(
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
			(await listKeys(database.sql)).filter(({ lastUsedAt }) => lastUsedAt).length;
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
		locals.ingestOpen = true;
		await post('{"name":"open"}');
		expect(await sources()).toEqual(['open of api']);
	});

	test('that is wrong and one that was revoked get the same answer, also where events need none', async () => {
		const revoked = await makeKey(SHOP);
		const [{ id } = { id: 0 }] = (await listKeys(database.sql)).slice(-1);
		await revokeKey(database.sql, id, 'command');
		for (const open of [false, true]) {
			locals.ingestOpen = open;
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
		locals.keys = away;
		const key = await makeKey(SHOP);
		for (const open of [false, true]) {
			locals.ingestOpen = open;
			expect(await post('{"name":"a"}', bearer(key))).toMatchObject({
				status: 503,
				headers: { 'retry-after': '2', 'access-control-allow-origin': '*' },
				body: { error: 'The database gave no answer about this key in time.' },
			});
		}
		await away.close();
	});

	test('of a page that sends too many events in one request is refused as a whole, and that of a server is not', async () => {
		locals.limits = createIngestLimits({ pageEvents: 2 });
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
		locals.limits = createIngestLimits({ pageBytes: 200 });
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
		locals.limits = createIngestLimits({ pageRequests: 1, wrongKeys: 1 });
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
		expect(locals.rejections.counts()).toMatchObject({ limited: 3, wrong_key: 1 });
	});
});

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
		expect(locals.rejections.counts().bot).toBe(1);
		await as(FIREFOX, `?key=${page}`);
		await as('curl/8.14', `?key=${server}`);
		await as(GOOGLE);
		expect(await names()).toEqual(['seen', 'seen', 'seen']);
		expect(locals.rejections.counts().bot).toBe(1);
		expect(locals.robots.list()).toMatchObject([{ name: 'Googlebot', kind: 'search', count: 1 }]);
	});
});

test('own visits by address, host and user are answered, counted by reason, and not recorded', async () => {
	locals.ownVisits = createOwnVisits({
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
	expect(locals.rejections.counts()).toMatchObject({
		excluded_address: 1,
		excluded_host: 2,
		excluded_user: 1,
	});
});

describe('a visitor without a session id', () => {
	const sessions = async () =>
		(await database.sql`SELECT session_id FROM nowboard.events ORDER BY id`).map(
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
				JSON.stringify(await database.sql`SELECT * FROM nowboard.${database.sql(table)}`),
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
		locals.visitors = { of: () => Promise.reject(new Error('no answer within 2000 ms')) };
		expect(await post('{"name":"a"}', from('192.0.2.7'))).toMatchObject({
			status: 503,
			headers: { 'retry-after': '2' },
			body: { error: 'The database did not return the salt of the day in time.' },
		});
		expect((await post('{"name":"b","sessionId":"own"}', from('192.0.2.7'))).status).toBe(202);
		expect(await names()).toEqual(['b']);
	});
});

test('every refusal is counted by its reason, and nothing else is', async () => {
	const { rejections } = locals;
	const none = rejections.counts();
	expect(new Set(Object.values(none))).toEqual(new Set([0]));
	await post('{"name":"fine"}');
	expect(rejections.counts()).toEqual(none);

	const key = await makeKey(BOUND);
	const from = (origin: string) => ({ ...JSON_TYPE, authorization: `Bearer ${key}`, origin });
	await post('{"name":"a"}', { ...JSON_TYPE, authorization: 'Bearer x' });
	await post('{"name":"a"}', from('https://evil.example'));
	await post('{"name":"a","source":"x"}', from('https://shop.example'));
	await post('{"name":"a"}', {});
	await post('{');
	await post('x', GZIP);
	await post('x'.repeat(LIMIT + 1));
	await post(gzipSync(' '.repeat(LIMIT + 1)), GZIP);
	await post('{}');
	locals.ingest = { ...ingest, submit: () => Promise.reject(new RefusedError('no')) };
	await post('{"name":"a"}');
	locals.ingest = { ...ingest, submit: () => Promise.reject(new UnavailableError('no')) };
	await post('{"name":"a"}');
	locals.ingestOpen = false;
	await post('{"name":"a"}');
	expect(rejections.counts()).toEqual({
		no_key: 1,
		wrong_key: 1,
		origin: 1,
		limited: 0,
		bot: 0,
		excluded_address: 0,
		excluded_host: 0,
		excluded_user: 0,
		source: 1,
		unsupported: 1,
		malformed: 2,
		late: 0,
		too_large: 2,
		invalid: 1,
		database_refused: 1,
		no_room: 0,
		unavailable: 1,
	});
});

describe('a body that does not come to its end', () => {
	const HEAD = { method: 'POST', path: '/api/events', host: '127.0.0.1', headers: JSON_TYPE };
	/** Sends what it is given and no end of it. */
	function begin(text: string, address = '192.0.2.1') {
		const { port } = server.address() as { port: number };
		const headers = { ...JSON_TYPE, 'x-address': address };
		const req = send({ ...HEAD, port, headers, agent: false });
		const answer = new Promise<Answer>((resolve, reject) => {
			req.on('error', reject).on('response', (res) => {
				const chunks: Buffer[] = [];
				res
					.on('data', (chunk: Buffer) => chunks.push(chunk))
					.on('end', () => {
						const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
						resolve({ status: res.statusCode ?? 0, headers: res.headers, body });
					});
			});
		});
		answer.catch(() => {});
		req.write(text);
		return { answer, req, closed: new Promise((resolve) => req.once('close', resolve)) };
	}

	test('is refused when its time is over, counted, and the connection is closed', async () => {
		locals.bodies = createBodyBudget({ waitMs: 200 });
		const { answer, closed } = begin('[{"name":"a"},');
		await expect.poll(() => locals.bodies.bytes()).toBeGreaterThan(0);
		expect(await answer).toMatchObject({
			status: 408,
			headers: { connection: 'close', 'access-control-allow-origin': '*' },
			body: {
				error:
					'The body was not complete 0.2 s after it began. Send less at once, or send it faster.',
				details: [{ path: '(body)', rule: 'must be complete within 0.2 s' }],
			},
		});
		await closed;
		expect([locals.rejections.counts().late, locals.bodies.bytes()]).toEqual([1, 0]);
	});

	test('holds nothing any more when its sender is gone', async () => {
		const { req } = begin('[{"name":"a"},');
		await expect.poll(() => locals.bodies.bytes()).toBeGreaterThan(0);
		req.destroy();
		await expect.poll(() => locals.bodies.bytes()).toBe(0);
		await expect.poll(() => locals.rejections.counts().malformed).toBe(1);
	});

	test('leaves no room for another of its network, which is told to come again; other networks have theirs', async () => {
		locals.bodies = createBodyBudget({ networkBytes: 8 * 1024 });
		begin(`[{"name":"a","properties":{"a":"${'x'.repeat(7_000)}"}}`).answer.catch(() => {});
		await expect.poll(() => locals.bodies.bytes()).toBeGreaterThan(7_000);
		const body = JSON.stringify({ name: 'honest', properties: { a: 'x'.repeat(1_000) } });
		const refused = begin(body);
		refused.req.end();
		expect(await refused.answer).toMatchObject({
			status: 503,
			headers: { 'retry-after': '2', 'access-control-allow-origin': '*' },
			body: { error: expect.stringContaining('dropped yours') as string },
		});
		expect(locals.rejections.counts().no_room).toBe(1);
		const { status } = await post(body, { ...JSON_TYPE, 'x-address': '192.0.2.9' });
		expect([status, await names()]).toEqual([202, ['honest']]);
		server.closeAllConnections();
		await expect.poll(() => locals.bodies.bytes()).toBe(0);
	});
});

test('what the database refuses is a 400 in its words; what it cannot take now is a 503 with Retry-After', async () => {
	const oversized = { text: 'x'.repeat(20_000) };
	/** past the validation, as a rule that only the table knows would be */
	const direct: Ingest = {
		...ingest,
		submit: (events) => ingest.submit(events.map((event) => ({ ...event, properties: oversized }))),
	};
	locals.ingest = direct;
	expect(await post('{"name":"a"}')).toMatchObject({
		status: 400,
		body: {
			details: [
				{
					path: 'events_properties_size',
					rule: expect.stringContaining('check constraint') as string,
				},
			],
		},
	});
	const full = createIngest({
		connect: () => connect(database.url),
		log: QUIET,
		bounds: { heldRows: 1 },
	});
	locals.ingest = full;
	expect(await post('[{"name":"a"},{"name":"b"}]')).toMatchObject({
		status: 503,
		headers: { 'retry-after': '2' },
		body: { error: '0 events are waiting to be saved: the queue is full.', details: [] },
	});
	await full.close();
});
