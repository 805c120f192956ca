/**
 * A TCP proxy on loopback for faults without an error: half-open connections, a lost network, an address
 * that leads elsewhere.
 */
import { createServer, connect as dial, type Socket } from 'node:net';
import { once } from 'node:events';

/** One client's connection. `said` is the beginning of what it has sent. */
export type Connection = { said: string };

export type TcpProxy = {
	port: number;
	/**
	 * Nothing passes any more, in either direction, and without notice: sockets stay open, and new ones are
	 * mute too.
	 */
	freeze: () => void;
	/** The same for the open connections that match; new ones pass. @returns how many */
	freezeThose: (match: (connection: Connection) => boolean) => number;
	/** New connections pass; those that were frozen are reset. */
	thaw: () => void;
	/** Connections go to another port from now on; the open ones are reset. */
	point: (port: number) => void;
	close: () => Promise<void>;
};

export type Passing = {
	/** what to hand on instead; default: the same */
	toServer?: (chunk: Buffer, connection: Connection) => Buffer;
	toClient?: (chunk: Buffer, connection: Connection) => Buffer;
	onClose?: (connection: Connection) => void;
};

const SAID_LENGTH = 4_096;
const same = (chunk: Buffer) => chunk;

/** @param target port on 127.0.0.1 */
export async function startTcpProxy(
	target: number,
	{ toServer = same, toClient = same, onClose = () => {} }: Passing = {},
): Promise<TcpProxy> {
	const sockets = new Map<Socket, Connection>();
	const stuck = new Set<Socket>();
	let frozen = false;

	const server = createServer((client) => {
		const connection: Connection = { said: '' };
		const upstream = dial({ port: target, host: '127.0.0.1' });
		for (const socket of [client, upstream]) {
			sockets.set(socket, connection);
			socket.setNoDelay(true);
			if (frozen) stuck.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => sockets.delete(socket));
		}
		client.on('data', (chunk) => {
			if (stuck.has(client)) return;
			if (connection.said.length < SAID_LENGTH) connection.said += chunk.toString('latin1');
			upstream.write(toServer(chunk, connection));
		});
		upstream.on('data', (chunk) => {
			if (!stuck.has(upstream)) client.write(toClient(chunk, connection));
		});
		client.on('close', () => {
			onClose(connection);
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
		port: address.port,
		freeze() {
			frozen = true;
			for (const socket of sockets.keys()) stuck.add(socket);
		},
		freezeThose(match) {
			const matching = [...sockets].filter(([, connection]) => match(connection));
			for (const [socket] of matching) stuck.add(socket);
			return new Set(matching.map(([, connection]) => connection)).size;
		},
		thaw() {
			frozen = false;
			for (const socket of stuck) socket.resetAndDestroy();
			stuck.clear();
		},
		point(port) {
			target = port;
			for (const socket of sockets.keys()) socket.resetAndDestroy();
		},
		async close() {
			for (const socket of sockets.keys()) socket.destroy();
			server.close();
			await once(server, 'close');
		},
	};
}
