/**
 * Who is refused often waits: strangers from a network that was refused more than a hundred times in ten seconds are looked at a second
 * or two late. So whoever sends the next request after the answer to the last is slowed to less than a request a second and connection, at the price of a
 * timer; whoever does not wait for the answer is gone by then, and nothing has to be done. Nobody who is known waits. It knows no request. A
 * newcomer would answer at once (429): that is as much work as the refusal, and is asked for again at full speed; or would wait after the
 * work. Whoever sends many requests at once is cut by pipelining.ts.
 */
import type { Socket } from 'node:net';
import { createLimiter } from './rate-limiter';

/** A page that is out of date asks a few times; an office shares an address. */
export const FREE_REFUSALS = 100;
const WINDOW_S = 10;
/** At least; up to twice as long, so that those who came together do not come together again. */
export const LATE_MS = 1_000;

export type Tarpit = {
	/**
	 * To be awaited before something is looked up for somebody unknown. @param socket on which it is asked: whoever is gone is not waited for,
	 * and nothing of the request has to be kept. @returns whether that took a while
	 */
	enter(network: string, socket?: Socket): Promise<boolean>;
	/** Somebody from there is refused; to be awaited before, unless they have waited. */
	refuse(network: string, hasWaited: boolean): Promise<void>;
};

export function createTarpit({ free = FREE_REFUSALS, lateMs = LATE_MS } = {}): Tarpit {
	const refusals = createLimiter({ points: free, duration: WINDOW_S });
	const wait = (socket?: Socket) =>
		new Promise<void>((resolve) => {
			if (socket?.destroyed) return resolve();
			const end = () => {
				clearTimeout(timer);
				socket?.off('close', end);
				resolve();
			};
			const timer = setTimeout(end, lateMs * (1 + Math.random()));
			timer.unref();
			socket?.once('close', end);
		});

	return {
		async enter(network, socket) {
			const of = await refusals.get(network);
			const isOver = of !== null && of.consumedPoints >= free;
			if (isOver) await wait(socket);
			return isOver;
		},
		async refuse(network, hasWaited) {
			try {
				await refusals.consume(network);
			} catch {
				if (!hasWaited) await wait();
			}
		},
	};
}
