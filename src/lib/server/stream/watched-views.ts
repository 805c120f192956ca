/**
 * Which views clients watch. Frames are encoded for these. A frame without bytes of its own for a view means "nothing
 * changed" only when the view was watched and complete at that time, which `since` tells.
 */
import { toViewKey, type ViewSpec } from '../live/views';

export type WatchedViews = {
	/** @returns stop, safe to call twice */
	watch(spec: ViewSpec): () => void;
	/** The view is complete: from now on frames are made for it. */
	admit(key: string): void;
	/** The turn from which on frames were made for the view without a break; Infinity: they are not. */
	since(key: string): number;
	isWatched(key: string): boolean;
	specs(): ViewSpec[];
	/** Rises with every view that frames begin to be made for. */
	turn(): number;
	/** All figures were read again: views that `isComplete` denies have to be admitted again. */
	renew(isComplete: (key: string) => boolean): void;
	size(): number;
};

/** Empty: a view is there while a client watches it. */
export function createWatchedViews(): WatchedViews {
	const entries = new Map<string, { spec: ViewSpec; watchers: number; since: number }>();
	let turn = 0;
	return {
		watch(spec) {
			const key = toViewKey(spec);
			const entry = entries.get(key) ?? { spec, watchers: 0, since: Infinity };
			entry.watchers++;
			entries.set(key, entry);
			let watching = true;
			return () => {
				if (watching && --entry.watchers === 0) entries.delete(key);
				watching = false;
			};
		},
		admit(key) {
			const entry = entries.get(key);
			if (entry?.since === Infinity) entry.since = ++turn;
		},
		since: (key) => entries.get(key)?.since ?? Infinity,
		isWatched: (key) => entries.has(key),
		specs: () => [...entries.values()].map(({ spec }) => spec),
		turn: () => turn,
		renew(isComplete) {
			for (const [key, entry] of entries) if (!isComplete(key)) entry.since = Infinity;
		},
		size: () => entries.size,
	};
}
