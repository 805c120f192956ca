/**
 * A connection has few requests that wait for their answers. HTTP/1.1 lets a client send the next ones before (pipelining); no browser and no
 * proxy does, and Node begins them all at once: whoever does it is slowed by nothing that comes before an answer. Knows nothing of
 * what is asked. A newcomer counts while requests are answered: by then all that came in one packet have begun.
 */
import { Server, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One and a retry; more are no accident. */
export const MOST_IN_FLIGHT = 4;
/** While many wait: whoever asks and is gone again is gone by then, and costs a connection instead of a request. */
const DOOR_MS = 25;
/** Nothing more is read at once, but cut at once it would come again at once. */
const CUT_MS = 1_000;

/**
 * From now on a connection on which more wait is cut, before any of those that came together is looked at.
 * @param server one that has its listeners for `request`; whatever is not of HTTP is left alone
 * @param isBusy strangers are held off: the first request of a connection waits for a moment
 */
export function limitPipelining(server: unknown, isBusy: () => boolean): void {
	if (!(server instanceof Server)) return;
	const handlers = server.listeners('request') as RequestListener[];
	const inFlight = new WeakMap<Socket, number>();
	const ending = new WeakSet<Socket>();

	function cut(socket: Socket) {
		if (ending.has(socket)) return;
		ending.add(socket);
		socket.pause();
		setTimeout(() => socket.destroy(), CUT_MS * (0.5 + Math.random())).unref();
	}

	server.removeAllListeners('request');
	server.on('request', (request: IncomingMessage, response: ServerResponse) => {
		const { socket } = request;
		const count = (inFlight.get(socket) ?? 0) + 1;
		inFlight.set(socket, count);
		if (count > MOST_IN_FLIGHT) return cut(socket);
		response.once('close', () => inFlight.set(socket, (inFlight.get(socket) ?? 1) - 1));
		const begin = () => {
			if (socket.destroyed || ending.has(socket)) return;
			for (const handle of handlers) handle.call(server, request, response);
		};
		if (socket.bytesWritten === 0 && isBusy()) setTimeout(begin, DOOR_MS);
		else process.nextTick(begin);
	});
}
