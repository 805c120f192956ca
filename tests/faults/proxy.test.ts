import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startFaultyProxy } from './proxy';

test('what is delayed comes late, and in order, also when the delay ends in the middle', async () => {
	const server = createServer((socket) => {
		let sent = 0;
		const timer = setInterval(() => socket.write(`${sent++},`), 1);
		socket.on('close', () => clearInterval(timer));
		socket.on('error', () => {});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	const proxy = await startFaultyProxy(() => (server.address() as AddressInfo).port);
	onTestFinished(proxy.close);
	const client = connect(proxy.port, '127.0.0.1');
	onTestFinished(() => void client.destroy());
	let text = '';
	client.on('data', (chunk) => (text += chunk));
	client.on('error', () => {});
	for (const byMs of [30, 7, 90]) await proxy.delay(80, byMs);
	const before = text.length;
	await expect.poll(() => text.length).toBeGreaterThan(before + 200);
	const numbers = text.split(',').slice(0, -1).map(Number);
	expect(numbers).toEqual(numbers.map((_, i) => i));
});
