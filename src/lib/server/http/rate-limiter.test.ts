import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { expect, test } from 'vitest';
import { createLimiter, type Limiter } from './rate-limiter';

const LIMITS = { points: 1, duration: 60 };

const requests = new AsyncLocalStorage<object>();

/** @returns whether a request that was counted is still held, after a garbage collection */
async function countIn(limiter: Limiter): Promise<() => boolean> {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	const request = { made: new Array(1_000).fill('for it') };
	await requests.run(request, () => limiter.consume('one'));
	const held = new WeakRef(request);
	return () => {
		collectGarbage();
		return held.deref() !== undefined;
	};
}

test('counts, and keeps nothing of the request in which it counted', async () => {
	const limiter = createLimiter(LIMITS);
	const isHeld = await countIn(limiter);
	await expect.poll(isHeld).toBe(false);
	await expect(limiter.consume('one')).rejects.toMatchObject({ consumedPoints: 2 });
});

test('(control) the library alone keeps a counted request, when ours is long forgotten', async () => {
	const isHeld = await countIn(new RateLimiterMemory(LIMITS));
	await expect.poll(await countIn(createLimiter(LIMITS))).toBe(false);
	expect(isHeld()).toBe(true);
});
