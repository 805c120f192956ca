/**
 * One client's stream as a ReadableStream: first what it missed, then its place in the ring.
 * It knows frames but not what is in them. Node's pump asks (`pull`) when the socket has drained, so a client that reads
 * slowly is one that does not ask; it is handed one frame for each time it asks, and nothing waits in the stream's own queue
 * (with one, `pull` ran twice for each frame: a tenth of its CPU time). Ending a stream ourselves fires neither
 * `cancel` nor the request's signal: every way out goes through the same idempotent `leave`.
 */
import type { StreamEventName } from '../protocol';
import { STUCK_MS, type Bus, type Frame, type Subscription } from './bus';

/** What a client is given on joining: the frames it missed, and the place in the ring where it goes on. */
export type Joined = { frames: Frame[]; position: number };

export type ClientStream = {
	body: ReadableStream<Uint8Array>;
	/**
	 * Says goodbye and ends the body with what is queued; safe to call twice.
	 * @param withinMs how long the client may take to read it before its connection is severed
	 */
	end(withinMs?: number): void;
};

/** A connection that does not take the rest of its answer keeps its buffers for as long as it likes: after so long it is severed. */
export const GRACE_MS = 10_000;

/**
 * @param pick which bytes of a frame are this client's; null: none
 * @param opening first bytes, sent at once
 * @param join resolves to the way in from a cursor (null: none); called again when the ring has moved on meanwhile
 * @param bye encodes the farewell, individually random
 * @param onLeave called once, whichever way the client left
 * @param sever breaks the connection if the answer has not been taken to its end
 */
export function createClientStream({
	bus,
	cursor,
	wants,
	pick = (frame) => frame.bytes,
	opening,
	join,
	bye,
	onLeave,
	sever = () => {},
	stuckMs = STUCK_MS,
	graceMs = GRACE_MS,
}: {
	bus: Bus;
	cursor: string | null;
	wants: (event: StreamEventName) => boolean;
	pick?: (frame: Frame) => Uint8Array | null;
	opening: Uint8Array;
	join: (cursor: string | null, stream: { gone(): boolean }) => Promise<Joined>;
	bye: () => Uint8Array;
	onLeave: (reason: string) => void;
	sever?: (() => void) | undefined;
	stuckMs?: number;
	graceMs?: number;
}): ClientStream {
	let controller: ReadableStreamDefaultController<Uint8Array>;
	let left = false;
	let joining = false;
	/** it has asked, and has been given nothing since */
	let asking = false;
	let missed: Frame[] = [];
	let position: number | null = null;
	let subscription: Subscription | null = null;
	let last = cursor;
	let standing: ReturnType<typeof setTimeout> | undefined;

	const ready = () => !left && asking;

	function deliver(frame: Frame) {
		const bytes = pick(frame);
		if (bytes) {
			asking = false;
			controller.enqueue(bytes);
		}
		// without it the client would miss something: it comes back with its cursor, and gets a reset
		else if (frame.id !== undefined) return end('a frame was not made for it');
		if (frame.id !== undefined) last = frame.id;
	}

	function leave(reason: string) {
		if (left) return;
		left = true;
		missed = [];
		clearTimeout(standing);
		subscription?.unsubscribe();
		onLeave(reason);
	}

	function end(reason: string, withinMs = graceMs) {
		if (left) return;
		leave(reason);
		controller.enqueue(bye());
		controller.close();
		setTimeout(sever, withinMs).unref();
	}

	async function enter() {
		joining = true;
		try {
			const way = await join(last, { gone: () => left });
			if (left) return;
			missed = way.frames.filter((frame) => wants(frame.event));
			position = way.position;
		} catch {
			end('could not join');
			return;
		} finally {
			joining = false;
		}
		fill();
	}

	/** hands over what lies ahead while the socket takes it */
	function fill() {
		while (ready() && missed.length > 0) deliver(missed.shift() as Frame);
		clearTimeout(standing);
		if (left || joining) return;
		if (missed.length > 0) {
			// slow is fine, but one that takes nothing holds what it missed in memory
			standing = setTimeout(() => end('stood still'), stuckMs);
			return;
		}
		if (!subscription) {
			// catching up never counts as falling behind: if the ring has moved on meanwhile, the rest is caught up as well
			if (position === null || position < bus.tail()) return void enter();
			subscription = bus.subscribe(
				{ wants, ready, deliver, lost: (reason) => end(reason) },
				position,
			);
		}
		subscription.resume();
	}

	const body = new ReadableStream<Uint8Array>(
		{
			start(its) {
				controller = its;
				controller.enqueue(opening);
				void enter();
			},
			pull() {
				asking = true;
				fill();
			},
			cancel: () => leave('the client left'),
		},
		{ highWaterMark: 0 },
	);

	return { body, end: (withinMs) => end('ended by the server', withinMs) };
}
