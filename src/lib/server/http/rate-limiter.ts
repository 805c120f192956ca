/**
 * Counts by key within a time window, in the memory of this process. The limiter's timers would retain the
 * current AsyncLocalStorage context (the whole request) until they fire, so they are created outside it.
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
