import {
	createServer,
	request as send,
	type IncomingHttpHeaders,
	type RequestListener,
} from 'node:http';
import { once } from 'node:events';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { listen } from '../../../../tests/setup/listen';
import { compress, MIN_BYTES } from './compress';

const TEXT = '{"name":"page_view"}'.repeat(MIN_BYTES);
const HEADERS = { 'content-type': 'application/json', etag: '"one"' };

/** Serves `TEXT`, unless told otherwise. */
async function serve(
	handler: RequestListener = (_, response) =>
		void response.writeHead(200, { ...HEADERS, 'content-length': TEXT.length }).end(TEXT),
) {
	const server = createServer(compress(handler, (path) => path === '/stream'));
	const port = await listen(server);
	return async (encoding: string, { method = 'GET', path = '/' } = {}) => {
		const headers = { 'accept-encoding': encoding };
		const asked = send({ host: '127.0.0.1', port, path, method, headers, agent: false }).end();
		const [response] = (await once(asked, 'response')) as [
			AsyncIterable<Buffer> & { headers: IncomingHttpHeaders },
		];
		const chunks: Buffer[] = [];
		for await (const chunk of response) chunks.push(chunk);
		return { headers: response.headers, bytes: Buffer.concat(chunks) };
	};
}

test.each([
	['br, gzip', 'br', brotliDecompressSync],
	['gzip', 'gzip', gunzipSync],
] as const)('a client that accepts %s gets %s', async (accepted, encoding, unpack) => {
	const get = await serve();
	const { headers, bytes } = await get(accepted);
	expect(headers).toMatchObject({ 'content-encoding': encoding, vary: 'Accept-Encoding' });
	expect(headers['content-length']).toBeUndefined();
	expect(bytes.length).toBeLessThan(TEXT.length / 10);
	expect(unpack(bytes).toString()).toBe(TEXT);
});

test('a client that accepts no encoding gets the bytes as they are, and caches learn what they depend on', async () => {
	const get = await serve();
	const { headers, bytes } = await get('identity');
	expect(headers).toMatchObject({ vary: 'Accept-Encoding', 'content-length': `${TEXT.length}` });
	expect([headers['content-encoding'], bytes.toString()]).toEqual([undefined, TEXT]);
});

test('an ETag is weak, with and without an encoding', async () => {
	const get = await serve();
	for (const encoding of ['br', 'identity'])
		expect((await get(encoding)).headers.etag).toBe('W/"one"');
});

test('HEAD has no body and varies as GET does', async () => {
	const get = await serve();
	const { headers, bytes } = await get('br', { method: 'HEAD' });
	expect(headers).toMatchObject({ vary: 'Accept-Encoding', etag: 'W/"one"' });
	expect([headers['content-encoding'], bytes.length]).toEqual([undefined, 0]);
});

test.each([
	['a stream', { path: '/stream?cursor=1' }],
	['what is POSTed', { method: 'POST' }],
])('%s passes by untouched', async (_, asked) => {
	const get = await serve();
	const { headers, bytes } = await get('br, gzip', asked);
	expect([headers.vary, headers['content-encoding'], headers.etag]).toEqual([
		undefined,
		undefined,
		'"one"',
	]);
	expect(bytes.toString()).toBe(TEXT);
});

test.each([
	['small', { ...HEADERS, 'content-length': '2' }, '{}'],
	['a picture', { 'content-type': 'image/png' }, TEXT],
	['not to be transformed', { ...HEADERS, 'cache-control': 'no-store, no-transform' }, TEXT],
	['of no type', {}, TEXT],
])('a response that is %s stays as it is', async (_, headers, text) => {
	const get = await serve((_, response) => void response.writeHead(200, headers).end(text));
	const answer = await get('br, gzip');
	expect(answer.headers['content-encoding']).toBeUndefined();
	expect(answer.bytes.toString()).toBe(text);
});

test('a response that has an encoding keeps it, and its strong ETag', async () => {
	const packed = gzipSync(TEXT);
	const get = await serve(
		(_, response) =>
			void response.writeHead(200, { ...HEADERS, 'content-encoding': 'gzip' }).end(packed),
	);
	const { headers, bytes } = await get('br, gzip');
	expect(headers).toMatchObject({ 'content-encoding': 'gzip', etag: '"one"' });
	expect(gunzipSync(bytes).toString()).toBe(TEXT);
});
