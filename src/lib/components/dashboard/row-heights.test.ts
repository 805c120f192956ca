import { expect, test } from 'vitest';
import fc from '../../../../tests/setup/fast-check';
import { indexAt, offsetOf, rowsInSight } from './row-heights';

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

test('all rows in sight are in the document, some beside them, and never all of a long list', () => {
	const shape = { tall: [], rowHeight: 10 };
	fc.assert(
		fc.property(fc.nat(60_000), fc.nat(900), fc.nat(5_000), (top, boxHeight, count) => {
			const [first, last] = rowsInSight(shape, { top, boxHeight: boxHeight + 1, count });
			expect(first).toBeGreaterThanOrEqual(0);
			expect(last).toBeLessThanOrEqual(count);
			const [upper, lower] = [Math.floor(top / 10), Math.ceil((top + boxHeight + 1) / 10)];
			expect(first).toBeLessThanOrEqual(Math.max(0, Math.min(upper, count - 1) - 8));
			expect(last).toBeGreaterThanOrEqual(Math.min(lower + 8, count));
			expect(last - first).toBeLessThanOrEqual(boxHeight / 10 + 40);
		}),
	);
	// before the box is measured
	expect(rowsInSight(shape, { top: 0, boxHeight: 0, count: 50 })).toEqual([0, 20]);
	expect(rowsInSight(shape, { top: 0, boxHeight: 0, count: 3 })).toEqual([0, 3]);
});
