/** The database's clock, estimated: what a process shows between two answers. Knows where no time comes from. */

export type Clock = {
	/** The database said that it was `at`, just now. */
	see(at: number): void;
	/** Its time now, ms since 1970, whole. */
	now(): number;
};

/** A jump of the clock is followed within about so many answers. */
const DECAY = 64;

/**
 * An answer is never from before its question was asked: the largest difference seen is nearest to the truth. It decays,
 * since clocks drift.
 */
export function createClock(local: () => number = Date.now): Clock {
	let offset: number | null = null;
	return {
		see(at) {
			const sample = at - local();
			if (offset === null || sample > offset) offset = sample;
			else offset += (sample - offset) / DECAY;
		},
		now: () => Math.floor(local() + (offset ?? 0)),
	};
}
