/**
 * One client's stream as a ReadableStream: first what it missed, then its place in the ring.
 * It knows frames but not what is in them. Node's pump asks (`pull`) when the socket has drained, so a client that reads
 * slowly is one that does not ask; it is handed one frame for each time it asks, and nothing waits in the stream's own queue
 * (with one, `pull` ran twice for each frame: a tenth of its CPU time). Ending a stream ourselves fires neither
 * `cancel` nor the request's signal: every way out goes through the same idempotent `leave`.
 */
import type { StreamEventName } from '../../protocol';
import {
	STUCK_MS,
	type Bus,
	type Client,
	type Frame,
	type LostReason,
	type Subscription,
} from './ring';

/** Why a stream is over. A closed set: they are counted, and Prometheus keeps a series for each. */
export const END_REASONS = [
	/** it closed its connection, or the network did */
	'client_left',
	/** the process ends */
	'shutdown',
	/** who looked may no longer: logged out, revoked, or the token's time is over */
	'viewer_ended',
	/** it was so far behind that what it misses has left the ring, or caught up too slowly to be kept what has */
	'fell_off_ring',
	/** it took nothing for too long */
	'stood_still',
	/** a frame was not encoded for its view */
	'not_encoded',
	'could_not_join',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** What a client is given on joining: the frames it missed, and the place in the ring where it goes on. */
export type Joined = { frames: Frame[]; position: number };

/** What all streams of a process have in common. */
export type StreamContext = {
	bus: Bus;
	/** makes the first bytes, sent at once */
	opening: () => Uint8Array;
	/** encodes the farewell, individually random */
	bye: () => Uint8Array;
	stuckMs?: number;
	catchUpMs?: number;
	graceMs?: number;
};

/** What is one client's own. */
export type StreamClient = {
	/** where it says it is; null: nowhere */
	cursor: string | null;
	wants: (event: StreamEventName) => boolean;
	/** which bytes of a frame are this client's; null: none */
	pick?: (frame: Frame) => Uint8Array | null;
	/** resolves to the way in from a cursor (null: none); called again when the ring has moved on meanwhile */
	join: (cursor: string | null, stream: { gone(): boolean }) => Promise<Joined>;
	/** called once, whichever way the client left */
	onLeave: (reason: EndReason) => void;
	/** breaks the connection if the answer has not been taken to its end */
	sever?: (() => void) | undefined;
};

export type ClientStream = {
	body: ReadableStream<Uint8Array>;
	/**
	 * Says goodbye and ends the body with what is queued; safe to call twice.
	 * @param withinMs how long the client may take to read it before its connection is severed
	 */
	end(reason: EndReason, withinMs?: number): void;
};

/** A connection that does not take the rest of its answer keeps its buffers for as long as it likes: after so long it is severed. */
export const GRACE_MS = 10_000;

/**
 * What a client misses is held for it until it has taken it, also when the ring has long dropped it. It may take this long,
 * and a second more for each CATCH_UP_BYTES_PER_S that it has been given: a client that reads faster than that is never ended for it, however much it is,
 * and one that reads a frame now and then does not hold for hours what others have forgotten.
 */
export const CATCH_UP_MS = 60_000;
/** 128 kbit/s, a third of the slowest line that browsers simulate as 3G. At this rate the most that is caught up, 32 MB, takes 35 minutes. */
export const CATCH_UP_BYTES_PER_S = 16 * 1024;

/** The stream of one client, from the cursor that it brings. */
export function createClientStream(context: StreamContext, client: StreamClient): ClientStream {
	return new Stream(context, client);
}

/** A class where closures would do: twenty of them for each client were a kilobyte of the twenty that a connection costs. */
class Stream implements ClientStream, Client {
	readonly body: ReadableStream<Uint8Array>;
	readonly #context: StreamContext;
	readonly #client: StreamClient;
	#controller!: ReadableStreamDefaultController<Uint8Array>;
	#left = false;
	#joining = false;
	/** it has asked, and has been given nothing since */
	#asking = false;
	#missed: Frame[] | null = null;
	#position: number | null = null;
	#subscription: Subscription | null = null;
	#last: string | null;
	#standing: ReturnType<typeof setTimeout> | undefined;
	/** when it is to have caught up, by `performance.now()`: later with every frame that it takes */
	#until = 0;

	constructor(context: StreamContext, client: StreamClient) {
		this.#context = context;
		this.#client = client;
		this.#last = client.cursor;
		this.body = new ReadableStream(this as UnderlyingDefaultSource<Uint8Array>, {
			highWaterMark: 0,
		});
	}

	start(controller: ReadableStreamDefaultController<Uint8Array>) {
		this.#controller = controller;
		controller.enqueue(this.#context.opening());
		void this.#enter();
	}

	pull() {
		this.#asking = true;
		this.#fill();
	}

	cancel() {
		this.#leave('client_left');
	}

	end(reason: EndReason, withinMs?: number) {
		this.#end(reason, withinMs);
	}

	gone() {
		return this.#left;
	}

	wants(event: StreamEventName) {
		return this.#client.wants(event);
	}

	ready() {
		return !this.#left && this.#asking;
	}

	deliver(frame: Frame) {
		const { pick } = this.#client;
		const bytes = pick ? pick(frame) : frame.bytes;
		if (bytes) {
			this.#asking = false;
			if (this.#missed) this.#until += (bytes.byteLength / CATCH_UP_BYTES_PER_S) * 1_000;
			this.#controller.enqueue(bytes);
		}
		// without it the client would miss something: it comes back with its cursor, and gets a reset
		else if (frame.id !== undefined) return this.#end('not_encoded');
		if (frame.id !== undefined) this.#last = frame.id;
	}

	lost(reason: LostReason) {
		this.#end(reason);
	}

	#leave(reason: EndReason) {
		if (this.#left) return;
		this.#left = true;
		this.#missed = null;
		clearTimeout(this.#standing);
		this.#subscription?.unsubscribe();
		this.#client.onLeave(reason);
	}

	#end(reason: EndReason, withinMs = this.#context.graceMs ?? GRACE_MS) {
		if (this.#left) return;
		this.#leave(reason);
		this.#controller.enqueue(this.#context.bye());
		this.#controller.close();
		const { sever } = this.#client;
		if (sever) setTimeout(sever, withinMs).unref();
	}

	async #enter() {
		this.#joining = true;
		try {
			const way = await this.#client.join(this.#last, this);
			if (this.#left) return;
			this.#missed = way.frames.filter((frame) => this.wants(frame.event));
			this.#until = performance.now() + (this.#context.catchUpMs ?? CATCH_UP_MS);
			this.#position = way.position;
		} catch {
			this.#end('could_not_join');
			return;
		} finally {
			this.#joining = false;
		}
		this.#fill();
	}

	/** hands over what lies ahead while the socket takes it */
	#fill() {
		while (this.ready() && this.#missed?.length) this.deliver(this.#missed.shift() as Frame);
		if (this.#standing) clearTimeout(this.#standing);
		this.#standing = undefined;
		if (this.#left || this.#joining) return;
		if (this.#missed?.length) {
			// slow is fine, but one that takes nothing, or next to nothing, holds what it missed in memory
			const { stuckMs = STUCK_MS } = this.#context;
			const leftMs = this.#until - performance.now();
			const reason = stuckMs <= leftMs ? 'stood_still' : 'fell_off_ring';
			this.#standing = setTimeout(() => this.#end(reason), Math.min(stuckMs, leftMs));
			return;
		}
		this.#missed = null;
		if (!this.#subscription) {
			const { bus } = this.#context;
			// catching up never counts as falling behind: if the ring has moved on meanwhile, the rest is caught up as well
			if (this.#position === null || this.#position < bus.tail()) return void this.#enter();
			this.#subscription = bus.subscribe(this, this.#position);
		}
		this.#subscription.resume();
	}
}
