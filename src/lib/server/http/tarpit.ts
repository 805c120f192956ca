/**
 * Slows down clients that keep getting refused: after 100 refusals in 10 s, unknown clients of that network wait 1–2 s before any
 * lookup. Why not 429? A network is an office, or everyone behind a proxy without ADDRESS_HEADER: a delay does not lock them out.
 */
import type { Socket } from 'node:net';
import { createLimiter } from './rate-limiter';

/** A page that is out of date asks a few times; an office shares an address. */
export const FREE_REFUSALS = 100;
const WINDOW_S = 10;
/** At least; up to twice as long, so that clients that came together do not come together again. */
export const DELAY_MS = 1_000;

export type Tarpit = {
	/** To be awaited before something is looked up for an unknown client. Ends early when the client goes. */
	wait(network: string, socket?: Socket): Promise<void>;
	/** A request of this network was refused. */
	refused(network: string): void;
};

/** @param free refusals of a network within the window before its requests wait */
export function createTarpit({ free = FREE_REFUSALS, delayMs = DELAY_MS } = {}): Tarpit {
	const refusals = createLimiter({ points: free, duration: WINDOW_S });
	return {
		async wait(network, socket) {
			const counted = await refusals.get(network);
			if (counted === null || counted.consumedPoints < free || socket?.destroyed) return;
			await new Promise<void>((resolve) => {
				const end = () => {
					clearTimeout(timer);
					socket?.off('close', end);
					resolve();
				};
				const timer = setTimeout(end, delayMs * (1 + Math.random()));
				timer.unref();
				socket?.once('close', end);
			});
		},
		refused: (network) => void refusals.consume(network).catch(() => {}),
	};
}
