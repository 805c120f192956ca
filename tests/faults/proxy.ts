/**
 * A TCP proxy on loopback that faults are done to: cut (both sides are reset), frozen (nothing passes and nobody is
 * told, as on a half-open connection; what stood still is reset at the end), delayed. Knows nothing of what passes.
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
		let due = 0;
		let queued = 0;
		from.on('data', (chunk: Buffer) => {
			if (frozen) return;
			const forward = () => {
				if (frozen || to.destroyed) return;
				if (to.write(chunk)) return;
				from.pause();
				to.once('drain', () => from.resume());
			};
			if (delayMs === 0 && queued === 0) return forward();
			// in order, also when the delay ends
			due = Math.max(due, Date.now() + delayMs);
			queued++;
			setTimeout(() => {
				queued--;
				forward();
			}, due - Date.now());
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
