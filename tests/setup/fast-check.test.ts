import { expect, test } from 'vitest';
import fc from './fast-check';

const cases = (parameters: fc.Parameters<[number]> = {}) => {
	const seen: number[] = [];
	fc.assert(
		fc.property(fc.integer(), (one) => void seen.push(one)),
		{ ...parameters, numRuns: 50 },
	);
	return seen;
};

test('a property tries the same cases again; (control) with another seed, others', () => {
	expect(cases()).toEqual(cases());
	expect(cases({ seed: 1 })).not.toEqual(cases());
});
