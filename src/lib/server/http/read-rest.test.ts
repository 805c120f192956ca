import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { getRequest, setResponse } from '@sveltejs/kit/node';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../tests/setup/listen';
import { MAX_PIECES, readRest } from './read-body';

/** A server that refuses everything, as hooks.server.ts does, and a connection to it. */
async function refuse({ closes = true } = {}): Promise<{ socket: Socket; read: () => string }> {
	const server = createServer((req, res) => {
		void (async () => {
			// SvelteKit reads one piece, and holds it
			await getRequest({ request: req, base: 'http://localhost', bodySizeLimit: Infinity });
			const isWhole = await readRest(req);
			const response = new Response('no', { status: 401 });
			if (!isWhole && closes) response.headers.set('connection', 'close');
			await setResponse(res, response);
		})();
	});
	const socket = connect(await listen(server), '127.0.0.1');
	let read = '';
	socket.on('data', (chunk: Buffer) => (read += chunk)).on('error', () => {});
	onTestFinished(() => void socket.destroy());
	return { socket, read: () => read };
}
const head = (more: string) =>
	`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n${more}\r\n\r\n`;
const answers = (text: string) => text.split('HTTP/1.1 401').length - 1;
const PATIENCE = { timeout: 60_000 };

test('a connection goes on after the response to a whole request', async () => {
	const { socket, read } = await refuse();
	socket.write(head('content-length: 4') + 'ab');
	setTimeout(() => socket.write('cd'), 50);
	await expect.poll(read, PATIENCE).toMatch(/401 Unauthorized[^]*keep-alive[^]*no/i);
	socket.write(head('content-length: 0'));
	await expect.poll(() => answers(read()), PATIENCE).toBe(2);
});

test('half a request is answered, and its connection closed', async () => {
	const { socket, read } = await refuse();
	socket.write(head('content-length: 4') + 'ab');
	await once(socket, 'close');
	expect(read()).toMatch(/401 Unauthorized[^]*connection: close/i);
});

test('(control) without "connection: close" the connection of half a request stays', async () => {
	const { socket, read } = await refuse({ closes: false });
	socket.write(head('content-length: 4') + 'ab');
	await expect.poll(read, PATIENCE).toMatch(/401 Unauthorized/);
	socket.write('cd' + head('content-length: 0'));
	await expect.poll(() => answers(read()), PATIENCE).toBe(2);
});

test('a request in too many pieces is not read to its end', async () => {
	const { socket, read } = await refuse();
	const piece = '1\r\na\r\n';
	socket.write(head('transfer-encoding: chunked') + piece.repeat(8 * MAX_PIECES));
	await once(socket, 'close');
	expect(read()).toMatch(/^HTTP\/1\.1 401|^$/);
	expect(socket.bytesWritten - socket.writableLength).toBeGreaterThan(0);
});
