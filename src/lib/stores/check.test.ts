import { expect, test } from 'vitest';
import { nullable, number, object, optional, text } from './check';

test('a check that leaves out a field, or has the wrong type, does not compile', () => {
	type Point = { at: number; name?: string };
	const right = object<Point>({ at: number, name: optional(text) });
	expect(right({ at: 1 }, '')).toBeNull();
	// @ts-expect-error `at` is missing
	object<Point>({ name: optional(text) });
	// @ts-expect-error an optional field is missing
	object<Point>({ at: number });
	// @ts-expect-error `at` is a number
	object<Point>({ at: text, name: optional(text) });
	// @ts-expect-error `at` must not be null
	object<Point>({ at: nullable(number), name: optional(text) });
});
