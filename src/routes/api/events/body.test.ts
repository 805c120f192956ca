/** Bodies that are no event, too long, or do not come to their end. */
import { request as send } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createBodyBudget } from '$lib/server/http/body-budget';
import {
	GZIP,
	JSON_TYPE,
	LIMIT,
	type Answer,
	useEndpoint,
} from '../../../../tests/setup/ingest-endpoint';

const { endpoint, post, names } = useEndpoint();

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
				endpoint.bodySizeLimit = limit;
				expect(await post(big, headers)).toMatchObject({
					status: 413,
					headers: { 'access-control-allow-origin': '*' },
					body: {
						error: `The body is too large: this server takes at most ${named}. Send fewer events at once.`,
						details: [{ path: '(body)' }],
					},
				});
				endpoint.bodySizeLimit = LIMIT;
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

describe('a body that does not come to its end', () => {
	const HEAD = { method: 'POST', path: '/api/events', host: '127.0.0.1', headers: JSON_TYPE };
	/** Sends what it is given and no end of it. */
	function begin(text: string, address = '192.0.2.1') {
		const { port } = endpoint.server.address() as { port: number };
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
		endpoint.locals.bodies = createBodyBudget({ waitMs: 200 });
		const { answer, closed } = begin('[{"name":"a"},');
		await expect.poll(() => endpoint.locals.bodies.bytes()).toBeGreaterThan(0);
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
		expect([endpoint.locals.rejections.counts().late, endpoint.locals.bodies.bytes()]).toEqual([
			1, 0,
		]);
	});

	test('holds nothing any more when its sender is gone', async () => {
		const { req } = begin('[{"name":"a"},');
		await expect.poll(() => endpoint.locals.bodies.bytes()).toBeGreaterThan(0);
		req.destroy();
		await expect.poll(() => endpoint.locals.bodies.bytes()).toBe(0);
		await expect.poll(() => endpoint.locals.rejections.counts().malformed).toBe(1);
	});

	test('leaves no room for another of its network, which is told to come again; other networks have theirs', async () => {
		endpoint.locals.bodies = createBodyBudget({ networkBytes: 8 * 1024 });
		begin(`[{"name":"a","properties":{"a":"${'x'.repeat(7_000)}"}}`).answer.catch(() => {});
		await expect.poll(() => endpoint.locals.bodies.bytes()).toBeGreaterThan(7_000);
		const body = JSON.stringify({ name: 'honest', properties: { a: 'x'.repeat(1_000) } });
		const refused = begin(body);
		refused.req.end();
		expect(await refused.answer).toMatchObject({
			status: 503,
			headers: { 'retry-after': '2', 'access-control-allow-origin': '*' },
			body: { error: expect.stringContaining('dropped yours') as string },
		});
		expect(endpoint.locals.rejections.counts().no_room).toBe(1);
		const { status } = await post(body, { ...JSON_TYPE, 'x-address': '192.0.2.9' });
		expect([status, await names()]).toEqual([202, ['honest']]);
		endpoint.server.closeAllConnections();
		await expect.poll(() => endpoint.locals.bodies.bytes()).toBe(0);
	});
});
