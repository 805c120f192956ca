/**
 * Bounds the different views that are asked for: each one that was not there costs a scan, and is kept up row by row
 * while a client watches it. Views that are there cost nothing, and are never refused.
 */
import { error } from '@sveltejs/kit';
import { LRUCache } from 'lru-cache';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import { createLimiter } from './rate-limiter';
import type { AskedView } from './view-param';

export type ViewLimits = {
	/** @throws a refusal: 429 with the time to wait, or 503 when the process has as many views as it may */
	admit(view: AskedView, network: string): Promise<void>;
	/** Of a page of events that is read from the table. @returns null, or a refusal: when to ask again, in seconds, and why */
	admitPage(network: string): Promise<{ waitS: number; message: string } | null>;
};

/** New views of one network: a person clicks one in a second, for a while. */
export const NEW_VIEWS_PER_MINUTE = 120;
/** A search goes through ten million events in 500 pages. */
export const PAGES_PER_MINUTE = 600;
/** From the request to its stream: the scan of a full window, and more. */
const ADMITTED_MS = 30_000;
/** Views that are watched at a time: at 1,000 events/s each takes 0.1 % of a core. */
export const MAX_WATCHED_VIEWS = 500;

/** @param knows the view is there @param watched how many are watched */
export function createViewLimits({
	knows,
	watched,
	perMinute = NEW_VIEWS_PER_MINUTE,
	maxWatched = MAX_WATCHED_VIEWS,
	pagesPerMinute = PAGES_PER_MINUTE,
}: {
	knows: (view: AskedView) => boolean;
	watched: () => number;
	perMinute?: number;
	maxWatched?: number;
	pagesPerMinute?: number;
}): ViewLimits {
	const limiter = createLimiter({ points: perMinute, duration: 60 });
	const pages = createLimiter({ points: pagesPerMinute, duration: 60 });
	/** asked for a moment ago: a crowd that comes for one view at once counts as one */
	const admitted = new LRUCache<string, true>({ max: 2 * maxWatched, ttl: ADMITTED_MS });
	return {
		async admit(view, network) {
			const key = JSON.stringify(view);
			if (knows(view) || admitted.get(key)) return;
			if (watched() >= maxWatched)
				error(
					503,
					`${maxWatched} different views are watched on this server. Show one of them, or try again later.`,
				);
			admitted.set(key, true);
			const over = await limiter.consume(network).then(
				() => false,
				() => true,
			);
			if (over) admitted.delete(key);
			if (over)
				error(
					429,
					`From one address at most ${perMinute} new views a minute can be opened. Wait a minute.`,
				);
		},
		async admitPage(network) {
			const over = await pages.consume(network).then(
				() => null,
				({ msBeforeNext }: RateLimiterRes) => Math.max(1, Math.ceil(msBeforeNext / 1_000)),
			);
			if (over === null) return null;
			const message = `From one address at most ${pagesPerMinute} pages of events a minute can be read. Wait ${over} s.`;
			return { waitS: over, message };
		},
	};
}
