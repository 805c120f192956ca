/**
 * The event bus: a ring of encoded frames and the clients' positions in it. Every client is handed the same bytes.
 * It knows neither SSE syntax nor the database. A client is a number, not a queue: one that wants more is handed a frame at
 * the broadcast, any other keeps its place and takes what it missed when it asks; a client that falls off the ring is told so.
 */
import type { StreamEventName } from '../../protocol';

export type Frame = {
	event: StreamEventName;
	/** for every client; with `byView`: for views that have no bytes of their own, or empty */
	bytes: Uint8Array;
	/** the bytes of each view, and the turn of the newest view that the frame was made for; @see pickFor */
	byView?: { own: ReadonlyMap<string, Uint8Array>; turn: number };
	/** the cursor after this frame, on frames that move it */
	id?: string;
};

/** `fell_off_ring`: its place is gone; `stood_still`: it has taken nothing for STUCK_MS while frames lay ahead. */
export type LostReason = 'fell_off_ring' | 'stood_still';

export type Client = {
	/** Frames the client asked to leave out are passed over. */
	wants(event: StreamEventName): boolean;
	/** Whether it can take a frame now without queueing. */
	ready(): boolean;
	deliver(frame: Frame): void;
	/** Its place is gone from the ring, or it has stood still for too long. Called once; it is forgotten before. */
	lost(reason: LostReason): void;
};

export type Subscription = {
	/** Delivers what lies ahead while the client is ready. */
	resume(): void;
	/** Safe to call twice. */
	unsubscribe(): void;
};

export type Bus = {
	/** Appends a frame and hands it to every client that is ready. Never throws for a client's sake. */
	publish(frame: Frame): void;
	/** The position after the newest frame: a client that joins there gets the next one. */
	head(): number;
	/** The oldest position that can still be joined. */
	tail(): number;
	/** The position after the frame with this id; null when it is not in the ring. */
	find(id: string): number | null;
	/** Frames from `position` up to the head that carry an id, for a client that comes back. */
	since(position: number): Frame[];
	/** @param position from `head()` or `find()`, not before `tail()` */
	subscribe(client: Client, position: number): Subscription;
	size(): number;
	/** of the frames in the ring */
	bytes(): number;
};

/** Bounds of the ring: about two minutes at ten frames a second of 10 KB, and never more memory than this. */
export const RING_FRAMES = 2_048;
export const RING_BYTES = 32 * 1024 * 1024;
/** A client that has taken nothing for so long while frames lay ahead of it is ended; it comes back with its cursor. */
export const STUCK_MS = 30_000;

/** Evicts the oldest frames beyond `maxFrames` or `maxBytes`. */
export function createBus({
	maxFrames = RING_FRAMES,
	maxBytes = RING_BYTES,
	stuckMs = STUCK_MS,
	now = Date.now,
}: { maxFrames?: number; maxBytes?: number; stuckMs?: number; now?: () => number } = {}): Bus {
	type Place = { client: Client; position: number; moved: number };

	/** frames[skipped + i] has position `oldest + i`; emptied at once and cut lazily, so that publishing does not move the array */
	let frames: (Frame | undefined)[] = [];
	let oldest = 0;
	let skipped = 0;
	let bytes = 0;
	const ids = new Map<string, number>();
	/** the id that stands at `oldest` */
	let first: string | undefined;
	const places = new Set<Place>();

	const head = () => oldest + frames.length - skipped;
	const at = (position: number) => frames[position - oldest + skipped] as Frame;

	function evict() {
		while (
			frames.length - skipped > maxFrames ||
			(bytes > maxBytes && frames.length - skipped > 1)
		) {
			const gone = frames[skipped] as Frame;
			bytes -= sizeOf(gone);
			// a client right after the evicted frame can still join; one before it cannot
			if (first !== undefined && ids.get(first) === oldest) ids.delete(first);
			first = gone.id;
			frames[skipped++] = undefined;
			oldest++;
		}
		if (skipped > maxFrames) {
			frames = frames.slice(skipped);
			skipped = 0;
		}
	}

	function move(place: Place) {
		while (place.position < head()) {
			const frame = at(place.position);
			const wanted = place.client.wants(frame.event);
			if (wanted && !place.client.ready()) return;
			// before the delivery: a stream that is handed something asks for more in the same breath, and comes back here
			place.position++;
			place.moved = now();
			if (wanted) place.client.deliver(frame);
		}
	}

	function lose(place: Place, reason: LostReason) {
		places.delete(place);
		place.client.lost(reason);
	}

	return {
		head,
		tail: () => oldest,
		find: (id) => ids.get(id) ?? null,
		since: (position) =>
			frames
				.slice(position - oldest + skipped)
				.filter((frame): frame is Frame => frame?.id !== undefined),
		publish(frame) {
			const idle = head();
			const time = now();
			frames.push(frame);
			bytes += sizeOf(frame);
			evict();
			if (frame.id !== undefined) ids.set(frame.id, head());
			for (const place of places) {
				if (place.position === idle) place.moved = time;
				else if (place.position < oldest) {
					lose(place, 'fell_off_ring');
					continue;
				} else if (time - place.moved > stuckMs) {
					lose(place, 'stood_still');
					continue;
				}
				move(place);
			}
		},
		subscribe(client, position) {
			const place: Place = { client, position, moved: now() };
			places.add(place);
			return {
				resume() {
					if (!places.has(place)) return;
					if (place.position < oldest) lose(place, 'fell_off_ring');
					else move(place);
				},
				unsubscribe() {
					places.delete(place);
				},
			};
		},
		size: () => places.size,
		bytes: () => bytes,
	};
}

function sizeOf({ bytes, byView }: Frame): number {
	let size = bytes.byteLength;
	for (const its of byView?.own.values() ?? []) size += its.byteLength;
	return size;
}
