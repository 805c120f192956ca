/** The route as a client sees it: real HTTP through the adapter's own conversion, real ingest, real Postgres. */
import { once } from 'node:events';
import { Agent, createServer, request as send, type Server } from 'node:http';
import { getRequest, setResponse } from '@sveltejs/kit/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createIngest, type Ingest } from '$lib/server/ingest';
import { connect } from '$lib/server/db/connect';
import { UnavailableError } from '$lib/server/submission';
import { createDatabase, type TestDatabase } from '../../../../tests/setup/database';
import { OPTIONS, POST } from './+server';

type Answer = { status: number; headers: Record<string, unknown>; body: unknown };
type Handler = (event: object) => Response | Promise<Response>;

const LIMIT = 512 * 1024;
let database: TestDatabase;
let ingest: Ingest;
let locals: { ingest: Ingest; ingestOpen: boolean };
let server: Server;
/** as adapter-node's BODY_SIZE_LIMIT */
let bodySizeLimit: number;
/** one connection, kept: a refused body that is not read would block the next request on it */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
	database = await createDatabase();
	ingest = createIngest({
		connect: () => connect(database.url, { max: 1 }),
		log: { info: () => {}, warn: () => {} },
	});
	server = createServer((req, res) => {
		void (async () => {
			const request = await getRequest({ request: req, base: 'http://localhost', bodySizeLimit });
			const set: Record<string, string> = {};
			const setHeaders = (headers: Record<string, string>) => void Object.assign(set, headers);
			const handler = (req.method === 'OPTIONS' ? OPTIONS : POST) as unknown as Handler;
			// as SvelteKit does it: headers that were set go on every answer, also on that to a throw
			const response = await Promise.resolve(handler({ request, locals, setHeaders })).catch(
				() => new Response(null, { status: 500 }),
			);
			for (const [name, value] of Object.entries(set)) response.headers.set(name, value);
			await setResponse(res, response);
		})();
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
});
beforeEach(async () => {
	locals = { ingest, ingestOpen: true };
	bodySizeLimit = LIMIT;
	await database.sql`TRUNCATE events`;
});
afterAll(async () => {
	agent.destroy();
	server.close();
	await ingest.close();
	await database.drop();
});

const JSON_TYPE = { 'content-type': 'application/json' };

function post(
	body: string | Uint8Array | undefined,
	headers: Record<string, string> = JSON_TYPE,
	method = 'POST',
): Promise<Answer> {
	const { port } = server.address() as { port: number };
	return new Promise((resolve, reject) => {
		const req = send({ port, host: '127.0.0.1', path: '/api/events', method, headers, agent });
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
const names = async () =>
	(await database.sql`SELECT name FROM events ORDER BY id`).map(({ name }) => name as string);

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

test('a timestamp that was clamped is reported, and only then', async () => {
	const from = '2001-01-01T00:00:00Z';
	const { status, body } = await post(
		JSON.stringify([{ name: 'a' }, { name: 'b', timestamp: from }]),
	);
	const to = new Date(
		(await database.sql`SELECT created_at FROM events WHERE name = 'b'`)[0]?.created_at as Date,
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
				'Nothing was saved: event 1: propertys is not a field of an event; these are: name, properties, eventId, sessionId, source, timestamp (and 1 more).',
			details: [
				{
					item: 1,
					path: 'propertys',
					value: '{…}',
					rule: 'is not a field of an event; these are: name, properties, eventId, sessionId, source, timestamp',
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
			'compressed',
			event,
			{ ...JSON_TYPE, 'content-encoding': 'gzip' },
			415,
			'The Content-Encoding gzip is not supported.',
		],
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
	});
});

describe('CORS', () => {
	test('a preflight allows JSON from anywhere, without credentials, for a day', async () => {
		const { status, headers } = await post(undefined, { origin: 'https://shop.test' }, 'OPTIONS');
		expect(status).toBe(204);
		expect(headers).toMatchObject({
			'access-control-allow-origin': '*',
			'access-control-allow-methods': 'POST',
			'access-control-allow-headers': 'content-type',
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
		locals = { ingest, ingestOpen: false };
		keep(await post('{"name":"a"}'));
		locals = { ingest: broken(new UnavailableError('Not now.')), ingestOpen: true };
		keep(await post('{"name":"a"}'));
		locals = { ingest: broken(new Error('a defect')), ingestOpen: true };
		keep(await post('{"name":"a"}'));
		expect(allowed).toEqual([202, 400, 415, 401, 503, 500].map((status) => [status, '*']));
	});
});

test('when ingest is not open the answer says how to open it, and nothing is saved', async () => {
	locals = { ingest, ingestOpen: false };
	expect(
		await post(JSON.stringify({ name: 'a', properties: { a: 'x'.repeat(100_000) } })),
	).toMatchObject({
		status: 401,
		body: {
			error: 'This server takes no events. Set INGEST_OPEN=true to let everyone send.',
			details: [],
		},
	});
	locals.ingestOpen = true;
	await post('{"name":"open"}');
	expect(await names()).toEqual(['open']);
});

test('what the database refuses is a 400 in its words; what it cannot take now is a 503 with Retry-After', async () => {
	const oversized = { text: 'x'.repeat(20_000) };
	/** past the validation, as a rule that only the table knows would be */
	const direct: Ingest = {
		...ingest,
		submit: (events) => ingest.submit(events.map((event) => ({ ...event, properties: oversized }))),
	};
	locals = { ingest: direct, ingestOpen: true };
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
		log: { info: () => {}, warn: () => {} },
		bounds: { heldRows: 1 },
	});
	locals = { ingest: full, ingestOpen: true };
	expect(await post('[{"name":"a"},{"name":"b"}]')).toMatchObject({
		status: 503,
		headers: { 'retry-after': '2' },
		body: { error: '0 events wait to be saved, and no more are taken.', details: [] },
	});
	await full.close();
});
