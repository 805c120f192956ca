/**
 * A TCP proxy before the server, for the failures that no status code tells: a connection that is half open, a network that
 * is gone for a while. Knows of HTTP only how a stream's request begins; it can tell how many streams are open.
 */
import { createServer, connect as dial, type Socket } from 'node:net';
import { once } from 'node:events';

export type Proxy = {
	url: string;
	/** Nothing passes any more, in either direction, and nobody is told: sockets stay open. */
	freeze: () => void;
	/** New connections pass; those of before are reset. */
	thaw: () => void;
	/** streams that a client holds open at this moment */
	openStreams: () => number;
	/** the paths of all streams ever asked for, in order */
	streams: () => string[];
	/** what the streams have carried, as the client received it */
	received: () => string;
	close: () => Promise<void>;
};

const STREAM_REQUEST = /GET (\/api\/dashboard\/stream\S*) HTTP/;

export async function startProxy(target: string): Promise<Proxy> {
	const { port } = new URL(target);
	const sockets = new Set<Socket>();
	const stuck = new Set<Socket>();
	const open = new Set<Socket>();
	const streams: string[] = [];
	let received = '';
	let frozen = false;

	const server = createServer((client) => {
		const upstream = dial({ port: Number(port), host: '127.0.0.1' });
		for (const socket of [client, upstream]) {
			sockets.add(socket);
			socket.setNoDelay(true);
			if (frozen) stuck.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => sockets.delete(socket));
		}
		client.on('data', (chunk) => {
			if (stuck.has(client)) return;
			const [, path] = STREAM_REQUEST.exec(chunk.toString('latin1')) ?? [];
			if (path) {
				streams.push(path);
				open.add(client);
			}
			upstream.write(chunk);
		});
		upstream.on('data', (chunk) => {
			if (stuck.has(upstream)) return;
			if (open.has(client)) received += chunk.toString();
			client.write(chunk);
		});
		client.on('close', () => {
			open.delete(client);
			upstream.destroy();
		});
		upstream.on('close', () => {
			// what is frozen does not hear of the other side's end
			if (!stuck.has(client)) client.destroy();
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');

	return {
		url: `http://localhost:${address.port}`,
		freeze() {
			frozen = true;
			for (const socket of sockets) stuck.add(socket);
		},
		thaw() {
			frozen = false;
			for (const socket of stuck) socket.resetAndDestroy();
			stuck.clear();
		},
		openStreams: () => open.size,
		streams: () => streams,
		received: () => received,
		async close() {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, 'close');
		},
	};
}
