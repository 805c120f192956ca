/**
 * Bounds the memory and time of request bodies in progress. Invariant: their buffers never exceed
 * `totalBytes`, nor `networkBytes` for one network, counted by what arrived and not by what senders
 * promise. When there is no room, the oldest body is dropped: dropping the newest would let a few stalled
 * bodies block all others (docs/decisions/0017).
 */

/** Of a machine with 512 MB; 128 of the largest bodies at once. */
const TOTAL_BYTES = 64 * 2 ** 20;
/** 32 of the largest bodies from one address, which need not be one sender. */
const NETWORK_BYTES = TOTAL_BYTES / 4;
/** The largest body, 512 KiB, comes in that time with 280 kbit/s, and what a page sends with anything. */
export const WAIT_MS = 15_000;
/** An event or two; smaller buffers would cost more than what is counted here. */
const FIRST_BYTES = 4 * 1024;

export type BodyBudget = {
	/** within which a body must be whole */
	waitMs: number;
	/** that are held now */
	bytes(): number;
	/** Takes nothing yet. The caller must release it, whatever happens. */
	open(network: string, maxBytes: number): HeldBody;
};

export type HeldBody = {
	/**
	 * Copies it; all pieces together must not exceed `maxBytes`. Without room it drops another body, or
	 * this one, which then holds and takes nothing.
	 */
	add(piece: Uint8Array): void;
	/** What came so far, as a view; null when it gave way or was released. */
	bytes(): Uint8Array | null;
	/** Safe to call twice. */
	release(): void;
};

/** `held`: bodies that take something, in the order in which they began to */
type Account = { bytes: number; held: Set<HeldBody> };

export function createBodyBudget({
	totalBytes = TOTAL_BYTES,
	networkBytes = NETWORK_BYTES,
	waitMs = WAIT_MS,
} = {}): BodyBudget {
	const all: Account = { bytes: 0, held: new Set() };
	/** `open`: bodies that are not released, also those that take nothing yet */
	const networks = new Map<string, Account & { open: number }>();

	function open(network: string, maxBytes: number): HeldBody {
		const own = networks.get(network) ?? { bytes: 0, held: new Set(), open: 0 };
		networks.set(network, own);
		own.open++;
		let buffer: Uint8Array | null = new Uint8Array(0);
		let size = 0;

		function charge(bytes: number) {
			for (const account of [own, all]) {
				account.bytes += bytes;
				account.held.add(body);
			}
		}
		function release() {
			if (!buffer) return;
			for (const account of [own, all]) {
				account.bytes -= buffer.length;
				account.held.delete(body);
			}
			buffer = null;
			// an account is forgotten with its last body, or addresses would be remembered for good
			if (--own.open === 0) networks.delete(network);
		}
		const body: HeldBody = {
			add(piece) {
				if (!buffer) return;
				const needed = size + piece.length;
				if (needed > buffer.length) {
					// doubled: however small the pieces are, a byte is copied about twice
					const length = Math.min(maxBytes, Math.max(FIRST_BYTES, 2 * buffer.length, needed));
					const more = length - buffer.length;
					if (!makeRoom(own, networkBytes, more, body) || !makeRoom(all, totalBytes, more, body))
						return release();
					charge(more);
					const larger = new Uint8Array(length);
					larger.set(buffer.subarray(0, size));
					buffer = larger;
				}
				buffer.set(piece, size);
				size = needed;
			},
			bytes: () => buffer?.subarray(0, size) ?? null,
			release,
		};
		return body;
	}

	return { waitMs, bytes: () => all.bytes, open };
}

/** @returns whether there is room now: not when `body` itself has been under way longest */
function makeRoom(account: Account, most: number, more: number, body: HeldBody): boolean {
	for (const oldest of account.held) {
		if (account.bytes + more <= most) return true;
		if (oldest === body) return false;
		oldest.release();
	}
	return account.bytes + more <= most;
}
