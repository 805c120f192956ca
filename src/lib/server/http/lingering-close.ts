/**
 * Lets a request that is refused arrive to its end. What a newcomer gets wrong: an answer that comes while the request is still being
 * sent, on a connection that is then closed, may never be read; nginx makes a 502 of it. And whoever goes on sending after that is heard for
 * minutes, for nothing.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { MAX_PIECES } from './read-body';

/** For a body that is on its way; whoever sends letter by letter is not waited for. */
export const READ_OUT_MS = 2_000;

/** Resolves when the request is complete or gone, or after a moment. Nobody may want its body any more. */
export async function readOut(request: IncomingMessage | undefined): Promise<void> {
	if (!request || request.complete || request.destroyed) return;
	let pieces = 0;
	request.removeAllListeners('data');
	const done = new Promise<void>((resolve) => {
		request.once('end', resolve).once('close', resolve);
		request.on('data', () => {
			if (++pieces !== MAX_PIECES) return;
			// the socket, not the request: that would gather the pieces that are parsed already
			request.socket.pause();
			resolve();
		});
	});
	request.resume();
	await Promise.race([done, pause(READ_OUT_MS, undefined, { ref: false })]);
}

/** Closes the connection behind an answer to a request that has not come whole: what is left of it is not read any more. */
export function closeUnlessWhole(response: Response, request: IncomingMessage | undefined): void {
	if (request?.complete === false) response.headers.set('connection', 'close');
}
