import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { expect, test } from 'vitest';
import { createLimiter, type Limiter } from './rate-limiter';

const LIMITS = { points: 1, duration: 60 };

test('a count keeps nothing of the request in which it was made; (control) by itself it would', async () => {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	const requests = new AsyncLocalStorage<object>();
	const countIn = async (limiter: Limiter) => {
		const request = { made: new Array(1_000).fill('for it') };
		await requests.run(request, () => limiter.consume('one'));
		return new WeakRef(request);
	};
	const [ours, naive] = [createLimiter(LIMITS), new RateLimiterMemory(LIMITS)];
	const kept = [await countIn(ours), await countIn(naive)];
	const isKept = () => {
		collectGarbage();
		return kept.map((request) => request.deref() !== undefined);
	};
	await expect.poll(isKept).toEqual([false, true]);
	// and it counts
	await expect(ours.consume('one')).rejects.toMatchObject({ consumedPoints: 2 });
});
