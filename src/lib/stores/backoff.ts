/**
 * How long to wait before the next attempt. Pure; imports nothing.
 * The factor is random so that the clients of a server that went down do not all come back in the same moment.
 */

/** The first wait; a restart of the server takes about this long. */
export const FIRST_DELAY_MS = 1_000;
/** The longest wait: a viewer of a waiting page sees it come back within half a minute of the server. */
export const MAX_DELAY_MS = 30_000;

/**
 * Milliseconds to wait: `min(1000 · 2^attempt, 30000) × (0.7 … 1.0)`.
 * @param attempt failures in a row before this one: 0 for the first
 * @param random in [0, 1)
 */
export function toDelay(attempt: number, random: number): number {
	return Math.min(FIRST_DELAY_MS * 2 ** attempt, MAX_DELAY_MS) * (0.7 + 0.3 * random);
}
