/**
 * Reads the body of a request into one buffer, or says why not as a status and a sentence. Knows nothing of what is in it. What a newcomer gets
 * wrong: a limit in bytes is none in pieces, for Node makes a Buffer of 260 bytes of each HTTP chunk of one; a body that is refused must
 * be read on all the same, or the connection it came on is stuck; and a `for await` that is left early ends that connection before the answer.
 * Nothing gathers before it comes here: the adapter (get_raw_body of SvelteKit) holds one piece and pauses the request, Node holds 16 to 64 KiB, and
 * neither makes room for what a Content-Length only promises.
 */
import type { BodyBudget } from './body-budget';

/** Each costs about 2 µs, so these cost 33 ms. A client that writes 500 events token by token stays below. */
export const MAX_PIECES = 16_384;

export type BodyRefusal = { ok: false; status: 400 | 408 | 413 | 503; error: string; rule: string };
export type Body = { ok: true; bytes: Uint8Array } | BodyRefusal;
export type BodyBounds = { maxBytes: number; bodies: BodyBudget; network: string };

type HasBody = { body: ReadableStream<Uint8Array> | null };
/** `over`: the adapter's own limit; `late` and `crumbs`: more may come, and is not read */
type End = 'whole' | 'cut' | 'over' | 'late' | 'crumbs';

/** @param bounds `network`: whose share of the memory it takes */
export async function readBody(
	request: HasBody,
	{ maxBytes, bodies, network }: BodyBounds,
): Promise<Body> {
	const held = bodies.open(network, maxBytes);
	let size = 0;
	try {
		const end = await pass(request, bodies.waitMs, (piece) => {
			size += piece.byteLength;
			if (size > maxBytes) held.release();
			else held.add(piece);
		});
		if (end === 'over') return tooLarge('what BODY_SIZE_LIMIT says');
		// also when it is late: sent again it would be too large again
		if (size > maxBytes) return tooLarge(`${maxBytes} bytes`);
		if (end !== 'whole') return refuseEnd(end, bodies.waitMs);
		const bytes = held.bytes();
		return bytes ? { ok: true, bytes } : NO_ROOM;
	} finally {
		held.release();
	}
}

/** Reads and forgets the rest, as far as it would be read otherwise. */
export async function discardBody(
	request: HasBody,
	{ waitMs }: Pick<BodyBudget, 'waitMs'>,
): Promise<void> {
	await pass(request, waitMs, () => {});
}

export function tooLarge(limit: string): BodyRefusal {
	const error = `The body is too large: this server takes at most ${limit}. Send fewer events at once.`;
	return { ok: false, status: 413, error, rule: `must be at most ${limit}` };
}

const NO_ROOM: BodyRefusal = {
	ok: false,
	status: 503,
	error:
		'The body was put away: too many were coming in, in all or from one address, and this one had for the longest. Send it again.',
	rule: 'must not be the one that has been coming in for the longest when there is no more room',
};

function refuseEnd(end: 'cut' | 'late' | 'crumbs', waitMs: number): BodyRefusal {
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
		case 'crumbs':
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
		// ends the read that waits; to cancel the stream would end the connection, and nobody could be told
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
		return 'crumbs';
	} finally {
		clearTimeout(timer);
		reader.releaseLock();
	}
}

/** adapter-node's own BODY_SIZE_LIMIT, which breaks the stream. */
function isOver(error: unknown): boolean {
	return error instanceof Error && 'status' in error && error.status === 413;
}
