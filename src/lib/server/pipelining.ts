/**
 * A connection has few requests that wait for their answers. HTTP/1.1 lets a client send the next ones before (pipelining); no browser and no
 * proxy does, and Node begins them all at once: whoever does it is slowed by nothing that comes before an answer. Knows nothing of
 * what is asked. A newcomer counts while requests are answered: by then all that came in one packet have begun.
 */
import { Server, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One and a retry; more are no accident. */
export const MOST_IN_FLIGHT = 4;

/**
 * From now on a connection on which more wait is cut, before any of those that came together is looked at.
 * @param server one that has its listeners for `request`; whatever is not of HTTP is left alone
 */
export function limitPipelining(server: unknown, most = MOST_IN_FLIGHT): void {
	if (!(server instanceof Server)) return;
	const handlers = server.listeners('request') as RequestListener[];
	const inFlight = new WeakMap<Socket, number>();
	server.removeAllListeners('request');
	server.on('request', (request: IncomingMessage, response: ServerResponse) => {
		const { socket } = request;
		const count = (inFlight.get(socket) ?? 0) + 1;
		inFlight.set(socket, count);
		if (count > most) return void socket.destroy();
		response.once('close', () => inFlight.set(socket, (inFlight.get(socket) ?? 1) - 1));
		process.nextTick(() => {
			if (!socket.destroyed) for (const handle of handlers) handle.call(server, request, response);
		});
	});
}
