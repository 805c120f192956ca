/** Requests that nobody should send, and some that everybody does: made by fast-check from a seed. */
import fc from 'fast-check';
import { events } from './events';
import { forms, logins, looks } from './looks';
import { raws } from './raws';
import type { FuzzRequest } from './request';

const any = fc.oneof(
	{ weight: 1_200, arbitrary: events },
	{ weight: 800, arbitrary: looks },
	{ weight: 100, arbitrary: forms },
	{ weight: 100, arbitrary: raws },
	{ weight: 1, arbitrary: logins },
);

/** @returns `count` requests, the same for the same seed */
export const toRequests = (seed: number, count: number): FuzzRequest[] =>
	fc.sample(any, { seed, numRuns: count });
