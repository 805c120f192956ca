/**
 * The delay from insert to paint: samples of the last minute and their median. Pure but for its list of samples.
 * Refuses to know how the clocks were compared or when a paint is over.
 */

export type Delay = {
	/** @param at ms epoch of the sample; @param ms the delay, where below zero (clocks compared to a few ms) counts as zero */
	add: (at: number, ms: number) => void;
	/** over the samples of the last minute; null when there is none */
	median: (now: number) => number | null;
};

export const DELAY_WINDOW_MS = 60_000;
/** A frame every 100 ms for a minute. */
export const MAX_SAMPLES = 600;

/** The median of DELAY_WINDOW_MS, from the newest MAX_SAMPLES. */
export function createDelay(): Delay {
	let samples: { at: number; ms: number }[] = [];
	return {
		add(at, ms) {
			samples.push({ at, ms: Math.max(ms, 0) });
			if (samples.length > MAX_SAMPLES) samples.shift();
		},
		median(now) {
			samples = samples.filter(({ at }) => now - at < DELAY_WINDOW_MS);
			const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b);
			const upper = sorted[Math.floor(sorted.length / 2)];
			const lower = sorted[Math.ceil(sorted.length / 2) - 1];
			return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
		},
	};
}
