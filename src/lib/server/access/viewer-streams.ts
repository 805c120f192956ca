/** The open streams of each viewer, which end together with the viewer. */
import { setMaxListeners } from 'node:events';
import type { StreamEnd } from './stream-expiry';

export type ViewerStreams = {
	/** A stream was opened: `ended` fires with the viewer's end, `leave` is for the stream's own end. */
	follow(hash: string): StreamEnd;
	/** Ends all streams of a viewer. */
	end(hash: string): void;
	has(hash: string): boolean;
	hashes(): string[];
};

/** Knows the open streams of each viewer, by the hash of the token. */
export function createViewerStreams(): ViewerStreams {
	const followed = new Map<string, { ending: AbortController; streams: number }>();
	return {
		follow(hash) {
			const one = followed.get(hash) ?? { ending: new AbortController(), streams: 0 };
			// a share link may have a hundred screens; Node warns of more than ten listeners
			setMaxListeners(0, one.ending.signal);
			one.streams++;
			followed.set(hash, one);
			let left = false;
			return {
				ended: one.ending.signal,
				leave() {
					if (left) return;
					left = true;
					if (--one.streams === 0 && followed.get(hash) === one) followed.delete(hash);
				},
			};
		},
		end(hash) {
			followed.get(hash)?.ending.abort();
			followed.delete(hash);
		},
		has: (hash) => followed.has(hash),
		hashes: () => [...followed.keys()],
	};
}
