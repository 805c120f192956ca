/** Where the rows of a long list stand, of which all but a few are equally high. Pure; costs the number of those few. */

/** Rows above and below the box, so that the next one can be reached by keyboard. */
const SPARE = 8;
/** Rows come and go so many at a time: most frames of a scroll change nothing but the place of the box. */
const STEP = 8;
/** Rows seen before the box is measured. */
const FIRST_ROWS = 20;

/** A row that is higher than the others by `extra` pixels; in ascending order of `index`. */
export type Tall = { index: number; extra: number };
export type Shape = { rowHeight: number; tall: readonly Tall[] };

/** @param extraOf how much higher a row is than the others; null: as high as they are */
export function findTall<Row>(rows: readonly Row[], extraOf: (row: Row) => number | null): Tall[] {
	const found: Tall[] = [];
	for (const [index, row] of rows.entries()) {
		const extra = extraOf(row);
		if (extra !== null) found.push({ index, extra });
	}
	return found;
}

/** The upper edge of a row, from the top of the list. */
export function offsetOf({ rowHeight, tall }: Shape, index: number): number {
	let offset = index * rowHeight;
	for (const one of tall) if (one.index < index) offset += one.extra;
	return offset;
}

/** The row at a distance from the top of the list; beyond its end, the row that would be there. */
export function indexAt({ rowHeight, tall }: Shape, y: number): number {
	let extra = 0;
	for (const one of tall) {
		const start = one.index * rowHeight + extra;
		if (y < start) break;
		if (y < start + rowHeight + one.extra) return one.index;
		extra += one.extra;
	}
	return Math.max(0, Math.floor((y - extra) / rowHeight));
}

/**
 * The rows that are in the document: those in sight, and some beside them.
 *
 * @param boxHeight of what is in sight, from `top` on; 0: not measured yet
 * @param count of all rows
 * @returns the first of them, and the first after them
 */
export function rowsInSight(
	shape: Shape,
	{ top, boxHeight, count }: { top: number; boxHeight: number; count: number },
): [first: number, last: number] {
	const within = (index: number) => Math.min(Math.max(0, index), count);
	const above = Math.min(indexAt(shape, top), count - 1) - SPARE;
	const below = indexAt(shape, top + boxHeight) + 1 + SPARE;
	return [
		within(STEP * Math.floor(above / STEP)),
		within(boxHeight ? STEP * Math.ceil(below / STEP) : FIRST_ROWS),
	];
}
