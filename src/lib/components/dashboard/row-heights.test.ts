import { expect, test } from 'vitest';
import fc from '../../../../tests/setup/fast-check';
import { indexAt, offsetOf } from './row-heights';

test('the row at a distance is the one whose edges are around it, however high the rows are', () => {
	const tall = fc
		.uniqueArray(fc.record({ index: fc.nat(40), extra: fc.integer({ min: 1, max: 900 }) }), {
			selector: ({ index }) => index,
			maxLength: 5,
		})
		.map((rows) => rows.sort((a, b) => a.index - b.index));
	fc.assert(
		fc.property(tall, fc.integer({ min: 1, max: 60 }), fc.nat(4_000), (tall, rowHeight, y) => {
			const shape = { tall, rowHeight };
			const index = indexAt(shape, y);
			expect(offsetOf(shape, index)).toBeLessThanOrEqual(y);
			expect(offsetOf(shape, index + 1)).toBeGreaterThan(y);
		}),
	);
});

test('(control) equal heights put a row below an opened one in its place', () => {
	expect(indexAt({ tall: [{ index: 0, extra: 100 }], rowHeight: 10 }, 50)).toBe(0);
	expect(indexAt({ tall: [], rowHeight: 10 }, 50)).toBe(5);
});
