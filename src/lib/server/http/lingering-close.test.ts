import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { getRequest, setResponse } from '@sveltejs/kit/node';
import { expect, onTestFinished, test } from 'vitest';
import { MAX_PIECES } from './read-body';
import { closeUnlessWhole, readOut } from './lingering-close';

type Close = (response: Response, request: IncomingMessage) => void;

/** A server that refuses everything, as hooks.server.ts does, and a connection to it. */
async function refuse(close: Close): Promise<{ socket: Socket; read: () => string }> {
	const server = createServer((req, res) => {
		void (async () => {
			// it reads one piece by itself, and holds it
			await getRequest({ request: req, base: 'http://localhost', bodySizeLimit: Infinity });
			await readOut(req);
			const response = new Response('no', { status: 401 });
			close(response, req);
			await setResponse(res, response);
		})();
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
	let read = '';
	socket.on('data', (chunk: Buffer) => (read += chunk)).on('error', () => {});
	onTestFinished(() => {
		socket.destroy();
		server.closeAllConnections();
		server.close();
	});
	return { socket, read: () => read };
}
const head = (more: string) =>
	`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n${more}\r\n\r\n`;

test('a connection is closed behind the answer to half a request, and goes on behind that to a whole one; (control) it would stay', async () => {
	const whole = await refuse(closeUnlessWhole);
	whole.socket.write(head('content-length: 4') + 'ab');
	setTimeout(() => whole.socket.write('cd'), 50);
	await expect.poll(whole.read).toMatch(/401 Unauthorized[^]*keep-alive[^]*no/i);
	whole.socket.write(head('content-length: 0'));
	await expect.poll(() => whole.read().split('HTTP/1.1 401').length - 1).toBe(2);

	const half = await refuse(closeUnlessWhole);
	const stays = await refuse(() => {});
	for (const { socket } of [half, stays]) socket.write(head('content-length: 4') + 'ab');
	await once(half.socket, 'close');
	expect(half.read()).toMatch(/401 Unauthorized[^]*connection: close/i);
	await expect.poll(stays.read).toMatch(/401 Unauthorized/);
	stays.socket.write('cd' + head('content-length: 0'));
	await expect.poll(() => stays.read().split('HTTP/1.1 401').length - 1).toBe(2);
});

test('who sends in crumbs is not listened to for as long as others', async () => {
	const { socket, read } = await refuse(closeUnlessWhole);
	const since = performance.now();
	socket.write(head('transfer-encoding: chunked') + '1\r\na\r\n'.repeat(8 * MAX_PIECES));
	await once(socket, 'close');
	expect(performance.now() - since).toBeLessThan(1_900);
	expect(read()).toMatch(/^HTTP\/1\.1 401|^$/);
});
