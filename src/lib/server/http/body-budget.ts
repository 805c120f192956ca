/**
 * Bounds the memory of request bodies in progress: what is held never exceeds `totalBytes`, nor
 * `networkBytes` for one network, counted by what arrived and not by what was announced. A body that does
 * not fit is refused; how long one may take is `waitMs` (docs/decisions/0017).
 */

/** Of a machine with 512 MB; 128 of the largest bodies at once. */
const TOTAL_BYTES = 64 * 2 ** 20;
/** 32 of the largest bodies from one address, which need not be one sender. */
const NETWORK_BYTES = TOTAL_BYTES / 4;
/** The largest body, 512 KiB, comes in that time with 280 kbit/s, and what a page sends with anything. */
export const WAIT_MS = 15_000;

export type BodyBudget = {
	/** within which a body must be whole */
	waitMs: number;
	/** that are held now */
	bytes(): number;
	/** Takes nothing yet. The caller must release it, whatever happens. */
	open(network: string): Hold;
};

export type Hold = {
	/** @returns false when there is no room: then nothing is taken */
	take(bytes: number): boolean;
	/** Safe to call twice. */
	release(): void;
};

/** Bytes for all bodies together, and for those of one network. */
export function createBodyBudget({
	totalBytes = TOTAL_BYTES,
	networkBytes = NETWORK_BYTES,
	waitMs = WAIT_MS,
} = {}): BodyBudget {
	const networks = new Map<string, number>();
	let total = 0;

	function add(network: string, bytes: number) {
		total += bytes;
		const sum = (networks.get(network) ?? 0) + bytes;
		if (sum > 0) networks.set(network, sum);
		else networks.delete(network);
	}

	return {
		waitMs,
		bytes: () => total,
		open(network) {
			let held = 0;
			return {
				take(bytes) {
					const sum = networks.get(network) ?? 0;
					if (total + bytes > totalBytes || sum + bytes > networkBytes) return false;
					held += bytes;
					add(network, bytes);
					return true;
				},
				release() {
					add(network, -held);
					held = 0;
				},
			};
		},
	};
}
