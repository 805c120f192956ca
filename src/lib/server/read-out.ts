/**
 * Lets a request that is refused arrive to its end. What a newcomer gets wrong: an answer that comes while the request is still being
 * sent, on a connection that is then closed, may never be read; nginx makes a 502 of it.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** For a body that is on its way; whoever sends letter by letter is not waited for. */
const READ_OUT_MS = 2_000;

/** Resolves when the request is complete or gone, or after a moment. Nobody may want its body any more. */
export async function readOut(request: IncomingMessage | undefined): Promise<void> {
	if (!request || request.complete || request.destroyed) return;
	const done = new Promise((resolve) => request.once('end', resolve).once('close', resolve));
	request.removeAllListeners('data');
	request.resume();
	await Promise.race([done, pause(READ_OUT_MS, undefined, { ref: false })]);
}
