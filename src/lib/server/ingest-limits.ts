/**
 * How often somebody may send, kept in the memory of this process: who tries keys that are none, by address; pages, by key and address;
 * servers, by key. Not for speed (ingest has bounds of its own) but so that one sender cannot be everybody's load. It knows no
 * request, and nothing is written down: addresses are forgotten with their minute.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { KeyKind } from './key-input';

/** Somebody who sets up a site mistypes a few times; whoever guesses gets nowhere. */
export const WRONG_KEYS_PER_MINUTE = 30;
/** A visitor clicks; a page in a loop does not count. */
export const PAGE_REQUESTS_PER_MINUTE = 600;
/** A server that has more to say sends batches. */
export const SERVER_REQUESTS_PER_MINUTE = 120_000;

export type IngestLimits = {
	/** Whoever has tried too many wrong keys. @returns seconds to wait; 0: none */
	blocked(address: string): Promise<number>;
	/** A key was wrong, or there was none. */
	missed(address: string): Promise<void>;
	/** A request with a good key. @returns seconds to wait; 0: it is within the limit */
	used(key: { id: number; kind: KeyKind }, address: string): Promise<number>;
};

export function createIngestLimits({
	wrongKeys = WRONG_KEYS_PER_MINUTE,
	pageRequests = PAGE_REQUESTS_PER_MINUTE,
	serverRequests = SERVER_REQUESTS_PER_MINUTE,
} = {}): IngestLimits {
	const limiter = (points: number) => new RateLimiterMemory({ points, duration: 60 });
	const wrong = limiter(wrongKeys);
	const pages = limiter(pageRequests);
	const servers = limiter(serverRequests);
	return {
		async blocked(address) {
			const of = await wrong.get(address);
			return of !== null && of.consumedPoints > wrongKeys ? toSeconds(of) : 0;
		},
		async missed(address) {
			await consume(wrong, address);
		},
		used: ({ id, kind }, address) =>
			kind === 'public' ? consume(pages, `${id} ${address}`) : consume(servers, String(id)),
	};
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<number> {
	try {
		await limiter.consume(key);
		return 0;
	} catch (refused) {
		if (refused instanceof RateLimiterRes) return toSeconds(refused);
		throw refused;
	}
}

function toSeconds({ msBeforeNext }: RateLimiterRes): number {
	return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}
