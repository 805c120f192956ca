/**
 * How far the database's clock is ahead of the browser's: a few round trips, of which the fastest counts, since it leaves
 * the least room for the answer to have been late on one of its two ways (Cristian's algorithm, 1989).
 */
import type { Answer } from './status';

/** More trips find a faster one rarely. */
export const ROUND_TRIPS = 4;
/** Clocks drift by some milliseconds in this time, and laptops set theirs now and then. */
export const CLOCK_REFRESH_MS = 5 * 60_000;

/**
 * Database time − browser time in ms, off by at most half of the fastest trip; null when no answer came.
 * @param ask answers with the server's estimate of database time; never rejects
 * @param now ms epoch of the browser
 */
export async function measureOffset(
	ask: () => Promise<Answer>,
	now: () => number,
): Promise<number | null> {
	let best: { trip: number; offset: number } | null = null;
	for (let i = 0; i < ROUND_TRIPS; i++) {
		const asked = now();
		const answer = await ask();
		const answered = now();
		if (!answer.ok) break;
		const trip = answered - asked;
		if (!best || trip < best.trip)
			best = { trip, offset: Date.parse(answer.ping.now) - (asked + answered) / 2 };
	}
	return best?.offset ?? null;
}
