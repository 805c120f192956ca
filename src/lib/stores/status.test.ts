import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toTime } from './testing/fixtures';
import { diagnose, fetchStatus } from './status';

const PING = { now: toTime(0), database: 'up', listener: 'up', reading: null, writing: null };
/** `/<status>/<body>` answers just that. */
const server = createServer((request, response) => {
	const [, status, body = ''] = (request.url ?? '').split('/');
	response.writeHead(Number(status)).end(decodeURIComponent(body));
});
let base = '';
beforeAll(async () => {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
const toUrl = (status: number, body: unknown) =>
	`${base}/${status}/${encodeURIComponent(typeof body === 'string' ? body : JSON.stringify(body))}`;

test('a server that is well answers with its clock and states', async () => {
	expect(await fetchStatus(toUrl(200, PING))).toEqual({ ok: true, ping: PING });
});

test('every way of not being well becomes a sentence', async () => {
	const asked = [
		toUrl(200, PING),
		toUrl(200, { ...PING, database: 'down' }),
		toUrl(200, '<html>Welcome to the hotel network</html>'),
		toUrl(401, ''),
		toUrl(503, ''),
		toUrl(502, ''),
		toUrl(418, ''),
		'http://127.0.0.1:1/',
	];
	expect(await Promise.all(asked.map((url) => diagnose(url)))).toEqual([
		'The stream was cut; the server is answering.',
		'Postgres is not answering.',
		'Something else answers in the place of the server.',
		'Log in to view this dashboard.',
		'The server is not ready.',
		'The proxy cannot reach the server.',
		'The server answered with status 418.',
		'The server is not answering.',
	]);
});
