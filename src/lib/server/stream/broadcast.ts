/** Puts frames into the ring, which hands each of them to every client, and counts them. */
import type { Bus, Frame } from './ring';

export type Broadcast = ReturnType<typeof createBroadcast>;

/** Puts frames into the ring, and counts them. */
export function createBroadcast(bus: Bus) {
	let frames = 0;
	let bytes = 0;
	let busyMs = 0;

	function put(frame: Frame) {
		bus.publish(frame);
		frames++;
		bytes += frame.bytes.byteLength;
	}

	return {
		/** Without measuring: for frames that are small and rare. */
		put,
		/** Puts the frame, and measures how long the process is busy handing it to every client. */
		broadcast(frame: Frame) {
			const start = performance.now();
			put(frame);
			setImmediate(() => (busyMs = performance.now() - start));
		},
		/** Of the last `broadcast`. */
		busyMs: () => busyMs,
		/** `frames` and `bytes` since the start, once for all clients; the others are in the ring now. */
		counts: () => ({
			frames,
			bytes,
			ringFrames: bus.head() - bus.tail(),
			ringBytes: bus.bytes(),
		}),
	};
}
