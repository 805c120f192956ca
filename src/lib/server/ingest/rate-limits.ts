/**
 * Rate limits of ingest, in the memory of this process: wrong keys by network; public keys by key and
 * network, in requests, events and bytes; all keys in total. They keep one sender from using up the
 * capacity of all. Networks are forgotten after their minute.
 */
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { KeyKind } from '../keys/parse-new-key';
import { createLimiter, type Limiter } from '../http/rate-limiter';

/** Enough for typing errors, useless for guessing. */
export const WRONG_KEYS_PER_MINUTE = 30;
/** A visitor clicks, and an office shares an address; a page in a loop does not stop by itself. */
export const PAGE_REQUESTS_PER_MINUTE = 600;
/** A request takes up to 500 events: without this limit a public key, which anyone can read, could write 300,000 rows a minute. */
export const PAGE_EVENTS_PER_MINUTE = 6_000;
/**
 * The size of 6,000 page views, uncompressed. Events of 8 KiB would otherwise fill every viewer's line and
 * the disk.
 */
export const PAGE_BYTES_PER_MINUTE = 6 * 1024 * 1024;
/** A server with more events sends batches. The pages of one site have as many together, from however many addresses. */
export const KEY_REQUESTS_PER_MINUTE = 120_000;
const WINDOW_S = 60;
/** Between two words about it in the log. */
const TOLD_EVERY_MS = 60_000;

/** `rule`: a sentence that names the limit; `waitS`: whole seconds, at least one */
export type Limited = { rule: string; waitS: number };

export type IngestLimits = {
	/** Whether so many wrong keys came from this network that no more are looked up. */
	blocked(network: string): Promise<Limited | null>;
	/** A key was wrong. */
	missed(network: string): Promise<void>;
	/** A request with a good key; it counts. */
	used(key: Key, network: string): Promise<Limited | null>;
	/** Its body, before anything is made of it; it counts. */
	weighed(key: Key, network: string, bytes: number): Promise<Limited | null>;
	/** Its events; they count. */
	sent(key: Key, network: string, events: number): Promise<Limited | null>;
};
type Key = { id: number; kind: KeyKind };

/** @param onLimited told the rule, at most once a minute */
export function createIngestLimits({
	wrongKeys = WRONG_KEYS_PER_MINUTE,
	pageRequests = PAGE_REQUESTS_PER_MINUTE,
	pageEvents = PAGE_EVENTS_PER_MINUTE,
	pageBytes = PAGE_BYTES_PER_MINUTE,
	keyRequests = KEY_REQUESTS_PER_MINUTE,
	onLimited = () => {},
}: {
	wrongKeys?: number;
	pageRequests?: number;
	pageEvents?: number;
	pageBytes?: number;
	keyRequests?: number;
	onLimited?: (rule: string) => void;
} = {}): IngestLimits {
	const limiter = (points: number) => createLimiter({ points, duration: WINDOW_S });
	const wrong = limiter(wrongKeys);
	const pages = limiter(pageRequests);
	const events = limiter(pageEvents);
	const bytes = limiter(pageBytes);
	const inAll = limiter(keyRequests);
	const rules = {
		wrong: `From one address at most ${wrongKeys} wrong keys a minute are looked up.`,
		page: `From one address at most ${pageRequests} requests a minute are taken with the same public key.`,
		events: `From one address at most ${pageEvents} events a minute are taken with the same public key.`,
		bytes: `From one address at most ${pageBytes} bytes of events a minute are taken with the same public key.`,
		inAll: {
			public: `At most ${keyRequests} requests a minute are taken with the same public key, from all addresses together.`,
			secret: `At most ${keyRequests} requests a minute are taken with the same secret key; one takes up to 500 events.`,
		},
	};
	let toldAt = -Infinity;

	function limited(rule: string, { msBeforeNext }: RateLimiterRes): Limited {
		const now = performance.now();
		if (now - toldAt >= TOLD_EVERY_MS) {
			toldAt = now;
			onLimited(rule);
		}
		return { rule, waitS: Math.max(1, Math.ceil(msBeforeNext / 1_000)) };
	}

	return {
		async blocked(network) {
			const of = await wrong.get(network);
			return of !== null && of.consumedPoints >= wrongKeys ? limited(rules.wrong, of) : null;
		},
		async missed(network) {
			await consume(wrong, network);
		},
		async used({ id, kind }, network) {
			if (kind === 'public') {
				const over = await consume(pages, `${id} ${network}`);
				// requests of one address above its limit do not count for the key
				if (over) return limited(rules.page, over);
			}
			const over = await consume(inAll, String(id));
			return over && limited(rules.inAll[kind], over);
		},
		async weighed({ id, kind }, network, count) {
			if (kind === 'secret') return null;
			const over = await consume(bytes, `${id} ${network}`, count);
			return over && limited(rules.bytes, over);
		},
		async sent({ id, kind }, network, count) {
			if (kind === 'secret') return null;
			const over = await consume(events, `${id} ${network}`, count);
			return over && limited(rules.events, over);
		},
	};
}

/** @returns null while it is within the limit */
async function consume(limiter: Limiter, key: string, points = 1): Promise<RateLimiterRes | null> {
	try {
		await limiter.consume(key, points);
		return null;
	} catch (refused) {
		if (refused instanceof RateLimiterRes) return refused;
		throw refused;
	}
}
