/**
 * A block of rows of the window store, by column: a code for each dimension and for each property that occurs
 * in it. Blocks are made and dropped whole, so growing never copies and an empty block gives its memory back.
 */
import { DIMENSIONS } from '../../dimensions';

/** Rows of a segment: a scan of a few is a slice of work, and the last one is on average half empty. */
export const SEGMENT_ROWS = 16_384;
export const SESSION_COLUMN = DIMENSIONS.indexOf('session');

/** One dimension of a segment's rows. */
export type Codes = Uint16Array | Uint32Array;

export type Segment = {
	/** rises with each segment: rows are in the order in which they entered */
	readonly order: number;
	/** place among the segments there are, used again when the segment is gone */
	readonly slot: number;
	/** rows ever put in, at most SEGMENT_ROWS; and of them still in the window */
	used: number;
	alive: number;
	/** ms since 1970; 0 when the row has left */
	readonly times: Float64Array;
	/** 1 + slot of the next row with the same millisecond; 0: none */
	readonly next: Int32Array;
	/** by position in DIMENSIONS; sessions may be as many as rows, other values fit 16 bits */
	readonly codes: Codes[];
	/** by number of the property's key; missing: no row has it */
	readonly props: (Uint16Array | undefined)[];
};

function createSegment(order: number, slot: number): Segment {
	return {
		order,
		slot,
		used: 0,
		alive: 0,
		times: new Float64Array(SEGMENT_ROWS),
		next: new Int32Array(SEGMENT_ROWS),
		codes: DIMENSIONS.map((_, column) =>
			column === SESSION_COLUMN ? new Uint32Array(SEGMENT_ROWS) : new Uint16Array(SEGMENT_ROWS),
		),
		props: [],
	};
}

export type Segments = {
	/** The segment that takes the next row. */
	open(): Segment;
	close(segment: Segment): void;
	at(slot: number): Segment;
	inOrder(): readonly Segment[];
};

/** Begins without a segment. A row is the number of its segment and its place in it. */
export function createSegments(): Segments {
	let order = 0;
	let inOrder: Segment[] = [];
	const slots: (Segment | undefined)[] = [];
	const free: number[] = [];
	return {
		open() {
			const last = inOrder.at(-1);
			if (last && last.used < SEGMENT_ROWS) return last;
			const slot = free.pop() ?? slots.length;
			const segment = createSegment(order++, slot);
			slots[slot] = segment;
			inOrder.push(segment);
			return segment;
		},
		close(segment) {
			slots[segment.slot] = undefined;
			free.push(segment.slot);
			inOrder = inOrder.filter((one) => one !== segment);
		},
		at: (slot) => slots[slot] as Segment,
		inOrder: () => inOrder,
	};
}
