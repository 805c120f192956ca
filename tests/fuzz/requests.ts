/** Hostile and ordinary requests, made by fast-check from a seed. */
import fc from 'fast-check';
import { events } from './events';
import { forms, goodForms, logins } from './forms';
import { looks } from './looks';
import { raws } from './raws';
import type { FuzzRequest } from './request';
import { surrogates } from './surrogates';

const any = fc.oneof(
	{ weight: 1_200, arbitrary: events },
	{ weight: 800, arbitrary: looks },
	{ weight: 150, arbitrary: forms },
	{ weight: 100, arbitrary: raws },
	{ weight: 1, arbitrary: logins },
);
/** Not left to chance. */
export const ALWAYS: readonly FuzzRequest[] = [...goodForms, ...surrogates];
/** One in so many is of those that are sent always. */
const ALWAYS_EVERY = 10;

/**
 * @returns `count` requests, the same for the same seed. A tenth of them are the next of those that are not left to chance, so that the batches of
 * neighbouring seeds hold all of them
 */
export function toRequests(seed: number, count: number): FuzzRequest[] {
	const made = fc.sample(any, { seed, numRuns: count });
	const first = seed * Math.ceil(count / ALWAYS_EVERY);
	return made.map((one, at) =>
		at % ALWAYS_EVERY === 0 ? (ALWAYS[(first + at / ALWAYS_EVERY) % ALWAYS.length] ?? one) : one,
	);
}
