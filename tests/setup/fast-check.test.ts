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

test('a property tries the same cases again', () => {
	expect(cases()).toEqual(cases());
});

test('(control) with another seed it tries others', () => {
	expect(cases({ seed: 1 })).not.toEqual(cases());
});
