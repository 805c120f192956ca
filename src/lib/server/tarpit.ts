/**
 * Refusals to somebody who is refused often come late: whoever sends the next request after the answer to the last is slowed to a
 * request a second and connection, at the price of a timer, and nobody who may pass waits. It knows no request. A newcomer would answer
 * at once (429): that is as much work as the refusal, and is asked for again at full speed. And would forget pipelining: who does not wait
 * for answers is slowed by nothing, and holds a waiting request for every hundred bytes that are sent. No browser or proxy does that,
 * so the connection of whoever does it is cut.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/** A page that is out of date asks a few times; an office shares an address. */
export const FREE_REFUSALS = 100;
const WINDOW_S = 10;
export const LATE_MS = 1_000;
/** Requests of one connection that wait for their refusal: a second one may be a retry, more are none. */
export const MAX_WAITING = 4;

export type Connection = { destroy(): unknown };
/** To be awaited before somebody from this network is refused. @param connection on which it was asked, where that is known */
export type Late = (network: string, connection?: Connection) => Promise<void>;

export function createTarpit({ free = FREE_REFUSALS, lateMs = LATE_MS } = {}): Late {
	const refusals = new RateLimiterMemory({ points: free, duration: WINDOW_S });
	const waiting = new WeakMap<Connection, number>();

	async function wait(connection: Connection | undefined) {
		if (!connection) return pause(lateMs, undefined, { ref: false });
		const others = waiting.get(connection) ?? 0;
		if (others >= MAX_WAITING) connection.destroy();
		waiting.set(connection, others + 1);
		await pause(lateMs, undefined, { ref: false });
		waiting.set(connection, (waiting.get(connection) ?? 1) - 1);
	}

	return async (network, connection) => {
		try {
			await refusals.consume(network);
		} catch {
			await wait(connection);
		}
	};
}
