/**
 * Counts by key within a time, in the memory of this process. What a newcomer gets wrong: each count ends by a timer, a timer that is begun
 * while a request is answered keeps all of that request until it fires, and whoever sends from many addresses is remembered by the megabyte.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { RateLimiterMemory } from 'rate-limiter-flexible';

export type Limiter = Pick<RateLimiterMemory, 'consume' | 'get' | 'delete'>;

/** To be made where no request is answered. @param duration in seconds */
export function createLimiter(limits: { points: number; duration: number }): Limiter {
	const limiter = new RateLimiterMemory(limits);
	const outside = AsyncLocalStorage.snapshot();
	return {
		consume: (key, points) => outside(() => limiter.consume(key, points)),
		get: (key) => limiter.get(key),
		delete: (key) => limiter.delete(key),
	};
}
