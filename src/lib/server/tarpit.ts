/**
 * Refusals to somebody who is refused often come late: whoever sends the next request after the answer to the last is slowed to a
 * request a second and connection, at the price of a timer, and nobody who may pass waits. It knows no request. A newcomer would answer
 * at once (429): that is as much work as the refusal, and is asked for again at full speed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/** A page that is out of date asks a few times; an office shares an address. */
export const FREE_REFUSALS = 100;
const WINDOW_S = 10;
export const LATE_MS = 1_000;

/** @returns to be awaited before somebody from this network is refused */
export function createTarpit({ free = FREE_REFUSALS, lateMs = LATE_MS } = {}): (
	network: string,
) => Promise<void> {
	const refusals = new RateLimiterMemory({ points: free, duration: WINDOW_S });
	return async (network) => {
		try {
			await refusals.consume(network);
		} catch {
			await pause(lateMs, undefined, { ref: false });
		}
	};
}
