/**
 * A window's memory: what happened in each of its milliseconds. A ring of linked lists in typed arrays, eight bytes
 * an entry, so that half an hour at thousands of events a second fits. Knows nothing of what the values mean.
 */

export type Cells<T> = {
	/** Remembers a value at a time inside the window. */
	add(time: number, value: T): void;
	/** Shows the values of the times in (from, to]. */
	visit(from: number, to: number, see: (value: T) => void): void;
	/** The same, and forgets them. */
	clear(from: number, to: number, see: (value: T) => void): void;
};

const NONE = -1;
const FIRST_ENTRIES = 1_024;

/** @param width of the window, ms: cell `t mod width` belongs to exactly one t inside it */
export function createCells<T>(width: number): Cells<T> {
	/** of each cell; made with the first entry */
	let first = new Int32Array(0);
	let next = new Int32Array(FIRST_ENTRIES);
	let values = new Int32Array(FIRST_ENTRIES);
	let used = 0;
	let free = NONE;
	const interned: T[] = [];
	const numbers = new Map<T, { number: number; uses: number }>();
	const spare: number[] = [];

	function toNumber(value: T): number {
		const known = numbers.get(value);
		if (known) {
			known.uses++;
			return known.number;
		}
		const number = spare.pop() ?? interned.length;
		interned[number] = value;
		numbers.set(value, { number, uses: 1 });
		return number;
	}

	function release(number: number) {
		const value = interned[number] as T;
		const known = numbers.get(value);
		if (!known || --known.uses > 0) return;
		numbers.delete(value);
		spare.push(number);
	}

	function allocate(): number {
		if (free !== NONE) {
			const entry = free;
			free = next[entry] as number;
			return entry;
		}
		if (used === next.length) {
			next = grown(next);
			values = grown(values);
		}
		return used++;
	}

	function walk(from: number, to: number, see: (value: T) => void, forget: boolean) {
		if (first.length === 0) return;
		// a jump past the whole window visits each cell once
		for (let time = Math.max(from, to - width) + 1; time <= to; time++) {
			const cell = time % width;
			let entry = first[cell] as number;
			if (forget) first[cell] = NONE;
			while (entry !== NONE) {
				const number = values[entry] as number;
				const following = next[entry] as number;
				see(interned[number] as T);
				if (forget) {
					release(number);
					next[entry] = free;
					free = entry;
				}
				entry = following;
			}
		}
	}

	return {
		add(time, value) {
			if (first.length === 0) first = new Int32Array(width).fill(NONE);
			const entry = allocate();
			const cell = time % width;
			values[entry] = toNumber(value);
			next[entry] = first[cell] as number;
			first[cell] = entry;
		},
		visit: (from, to, see) => walk(from, to, see, false),
		clear: (from, to, see) => walk(from, to, see, true),
	};
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
	const larger = new Int32Array(array.length * 2);
	larger.set(array);
	return larger;
}
