/**
 * Reads the body of a request into one buffer, or returns why not, and reads the rest of a request that is answered early.
 * Note: a limit in bytes is not enough, since Node makes a Buffer of 260 bytes of each one-byte HTTP chunk; and leaving a
 * `for await` over the body early closes the connection before the response. SvelteKit holds one piece at a time, Node 16 to 64 KiB.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { BodyBudget } from './body-budget';

/** Each costs about 2 µs, so these cost 33 ms. A client that writes 500 events token by token stays below. */
export const MAX_PIECES = 16_384;
/** What Node holds of a piece beside its bytes. */
export const PIECE_BYTES = 260;
/** How long a response waits for the rest of its request. */
export const REST_MS = 2_000;

export type BodyRefusal = { ok: false; status: 400 | 408 | 413 | 503; error: string; rule: string };
export type Body = { ok: true; bytes: Uint8Array } | BodyRefusal;
export type BodyBounds = { maxBytes: number; bodies: BodyBudget; network: string };

type HasBody = { body: ReadableStream<Uint8Array> | null };
/** `over`: more than BODY_SIZE_LIMIT; `late` and `pieces`: more may come, and is left to `readRest` */
type End = 'whole' | 'cut' | 'over' | 'late' | 'pieces';

/** @param bounds `network`: whose share of the memory the body takes */
export async function readBody(
	request: HasBody,
	{ maxBytes, bodies, network }: BodyBounds,
): Promise<Body> {
	const hold = bodies.open(network);
	let size = 0;
	/** null: dropped. The rest is read and forgotten, so that the client hears why. */
	let pieces: Uint8Array[] | null = [];
	try {
		const end = await pass(request, bodies.waitMs, (piece) => {
			size += piece.byteLength;
			if (size <= maxBytes && pieces && hold.take(piece.byteLength + PIECE_BYTES)) {
				pieces.push(piece);
			} else {
				pieces = null;
				hold.release();
			}
		});
		if (end === 'over') return tooLarge('what BODY_SIZE_LIMIT says');
		// even when late: a retry would be too large again
		if (size > maxBytes) return tooLarge(`${maxBytes} bytes`);
		if (end !== 'whole') return refuseEnd(end, bodies.waitMs);
		return pieces ? { ok: true, bytes: Buffer.concat(pieces) } : NO_ROOM;
	} finally {
		hold.release();
	}
}

/** @param limit as people say it: "512 bytes" */
export function tooLarge(limit: string): BodyRefusal {
	const error = `The body is too large: this server takes at most ${limit}. Send fewer events at once.`;
	return { ok: false, status: 413, error, rule: `must be at most ${limit}` };
}

const NO_ROOM: BodyRefusal = {
	ok: false,
	status: 503,
	error: 'The server is receiving too many uploads and dropped yours. Please retry.',
	rule: 'upload dropped to free memory',
};

function refuseEnd(end: 'cut' | 'late' | 'pieces', waitMs: number): BodyRefusal {
	switch (end) {
		case 'cut':
			return {
				ok: false,
				status: 400,
				error: 'The body ended before it was complete.',
				rule: 'must be complete',
			};
		case 'late':
			return {
				ok: false,
				status: 408,
				error: `The body was not complete ${waitMs / 1_000} s after it began. Send less at once, or send it faster.`,
				rule: `must be complete within ${waitMs / 1_000} s`,
			};
		case 'pieces':
			return {
				ok: false,
				status: 400,
				error: `The body came in more than ${MAX_PIECES} pieces. Send it in larger ones, or with a Content-Length.`,
				rule: `must come in at most ${MAX_PIECES} pieces`,
			};
	}
}

async function pass(
	{ body }: HasBody,
	waitMs: number,
	take: (piece: Uint8Array) => void,
): Promise<End> {
	if (!body) return 'whole';
	const reader = body.getReader();
	let isLate = false;
	const timer = setTimeout(() => {
		isLate = true;
		// ends the pending read; cancelling the stream would close the connection before the response
		reader.releaseLock();
	}, waitMs);
	try {
		for (let pieces = 0; pieces <= MAX_PIECES; pieces++) {
			const next = await reader.read().catch((error: unknown) => {
				if (isLate) return 'late';
				return isOver(error) ? 'over' : 'cut';
			});
			if (typeof next === 'string') return next;
			if (next.done) return 'whole';
			take(next.value);
		}
		return 'pieces';
	} finally {
		clearTimeout(timer);
		reader.releaseLock();
	}
}

/** The body is larger than adapter-node's BODY_SIZE_LIMIT, which errors the stream. */
function isOver(error: unknown): boolean {
	return error instanceof Error && 'status' in error && error.status === 413;
}

/**
 * Reads and drops the rest of a request, for 2 s at most; the response then closes a connection with an unread rest.
 * Why: a response sent during an upload, on a connection that is then closed, may never be read; nginx makes a 502 of it.
 * @returns whether the request is complete
 */
export async function readRest(request: IncomingMessage | undefined): Promise<boolean> {
	if (!request || request.complete) return true;
	if (request.destroyed) return false;
	let pieces = 0;
	request.removeAllListeners('data');
	const done = new Promise<void>((resolve) => {
		request.once('end', resolve).once('close', resolve);
		request.on('data', () => {
			if (++pieces !== MAX_PIECES) return;
			// pausing the request instead would queue the pieces that are parsed already
			request.socket.pause();
			resolve();
		});
	});
	request.resume();
	await Promise.race([done, pause(REST_MS, undefined, { ref: false })]);
	return request.complete;
}
