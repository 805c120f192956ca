/**
 * A TCP proxy on loopback with faults: cut (both sides are reset), frozen (nothing passes and no side
 * notices, as on a half-open connection; frozen connections are reset at the end), delayed.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type FaultyProxy = {
	port: number;
	cut(): void;
	/** resolves when it is over */
	freeze(ms: number): Promise<void>;
	delay(ms: number, byMs: number): Promise<void>;
	close(): void;
};

export async function startFaultyProxy(target: () => number): Promise<FaultyProxy> {
	const sockets = new Set<Socket>();
	let frozen = false;
	let delayMs = 0;

	function pass(from: Socket, to: Socket) {
		/** in order, also when the delay ends while something waits */
		const waiting: { due: number; chunk: Buffer }[] = [];
		function forward(chunk: Buffer) {
			if (frozen || to.destroyed) return;
			if (to.write(chunk)) return;
			from.pause();
			to.once('drain', () => from.resume());
		}
		function release() {
			for (let next = waiting[0]; next && next.due <= Date.now(); next = waiting[0]) {
				waiting.shift();
				forward(next.chunk);
			}
			if (waiting[0]) setTimeout(release, Math.max(1, waiting[0].due - Date.now()));
		}
		from.on('data', (chunk: Buffer) => {
			if (frozen) return;
			if (delayMs === 0 && waiting.length === 0) return forward(chunk);
			waiting.push({ due: Date.now() + delayMs, chunk });
			if (waiting.length === 1) setTimeout(release, delayMs);
		});
		from.on('close', () => frozen || to.destroy());
		from.on('error', () => {});
	}

	const server = createServer((client) => {
		const upstream = connect({ port: target(), host: '127.0.0.1' });
		for (const socket of [client, upstream]) {
			socket.setNoDelay(true);
			sockets.add(socket);
			socket.on('close', () => sockets.delete(socket));
		}
		pass(client, upstream);
		pass(upstream, client);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const cut = () => {
		for (const socket of sockets) socket.resetAndDestroy();
	};

	return {
		port: (server.address() as AddressInfo).port,
		cut,
		async freeze(ms) {
			frozen = true;
			await pause(ms);
			frozen = false;
			cut();
		},
		async delay(ms, byMs) {
			delayMs = byMs;
			await pause(ms);
			delayMs = 0;
		},
		close() {
			cut();
			server.close();
		},
	};
}
