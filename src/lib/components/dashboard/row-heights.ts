/** Where the rows of a long list stand, of which all but a few are equally high. Pure; costs the number of those few. */

/** A row that is higher than the others by `extra` pixels; in ascending order of `index`. */
export type Tall = { index: number; extra: number };
export type Shape = { rowHeight: number; tall: readonly Tall[] };

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
