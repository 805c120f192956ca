import { expect, test } from 'vitest';
import { toArea, toClearMarks, toPath, toRug, toTop } from './scale';

test('a point between two gaps is a dot, never a line to the next', () => {
	const line = [
		{ at: 0, value: 1 },
		{ at: 10, value: null },
		{ at: 20, value: 3 },
		{ at: 30, value: 4 },
	];
	const frame = { from: 0, to: 40, top: 4 };
	expect(toPath(line, frame)).toBe('M0 75.00h0M5000 25.00L7500 0.00');
});

test('(control) zero is drawn, unlike a value that is not known', () => {
	expect(toPath([{ at: 0, value: 0 }], { from: 0, to: 40, top: 4 })).toBe('M0 100.00h0');
});

test('the area lies under each stroke of the line, and not in the gap', () => {
	expect(toArea('M0 50L10 40M20 30L30 20')).toBe('M0 50L10 40V100H0ZM20 30L30 20V100H20Z');
});

test.each([
	[0, 4],
	[3, 4],
	[4, 6],
	[34, 40],
	[55, 60],
	[93, 200],
	[1_900, 4_000],
])('the axis for at most %i ends at %i', (max, top) => {
	expect(toTop(max)).toBe(top);
	expect(Number.isInteger(top / 2)).toBe(true);
});

test('the axis grows at once and shrinks late', () => {
	expect(toTop(70, 60)).toBe(80);
	expect(toTop(40, 80)).toBe(80);
	expect(toTop(36, 80)).toBe(80);
	expect(toTop(30, 80)).toBe(40);
	// without a memory it would change with every value
	expect([70, 40, 36].map((max) => toTop(max))).toEqual([80, 60, 40]);
});

test('every arrival in the window is a tick, and many at once are one', () => {
	const arrivals = [{ at: 1_000 }, { at: 1_001 }, { at: 41_000 }, { at: -60_000 }];
	expect(toRug(arrivals, 41_000, 40_000)).toBe('M0 0V1M4000 0V1');
});

test('a label of the time axis never touches the one below the needle, however long it is', () => {
	const clear = (text: string) =>
		[2, 50, 80, 85, 90, 95, 99]
			.map((at) => ({ at, text }))
			.filter((mark) =>
				toClearMarks([mark], { from: 0, to: 100 }, { at: 98, text: 'now' }).includes(mark),
			)
			.map(({ at }) => at);
	expect(clear('9 h')).toEqual([50, 80, 85]);
	expect(clear('21:20')).toEqual([50, 80, 85]);
	expect(clear('०९:२० pm')).toEqual([50, 80]);
});
