/**
 * Counts by number: how often each key is there, exactly, and how many keys there are.
 * Open addressing in one typed array, 8 bytes a slot; a `Map` takes five times as much.
 */
import { NONE } from './dictionary';
import type { Codes } from './segment';

export type Counter = {
	/** @returns the key's new count; a key whose count becomes 0 is forgotten */
	add(key: number, by: number): number;
	/**
	 * Counts the codes of the rows in `offsets` from one place to another.
	 * @param sums a cell for each code, all 0 before and after: spares looking up a code that comes often
	 */
	addAll(
		codes: Codes | undefined,
		offsets: Uint16Array,
		from: number,
		to: number,
		sums: Uint32Array,
	): void;
	of(key: number): number;
	/** How many keys have a count. */
	size(): number;
	each(see: (key: number, count: number) => void): void;
};

const FIRST_SLOTS = 8;

/** Keys are whole numbers from 0 to 2^31 − 2. */
export function createCounter(): Counter {
	return new SlotCounter();
}

/** A class where closures would do: a view has one for each bucket of its chart. */
class SlotCounter implements Counter {
	#mask = FIRST_SLOTS - 1;
	/** for each slot the key + 1 (0: empty), and its count */
	#slots = new Int32Array(2 * FIRST_SLOTS);
	#size = 0;

	/** Where a key is, or would be: an index into `#slots`. */
	#find(key: number): number {
		const slots = this.#slots;
		let slot = homeOf(key, this.#mask);
		for (;;) {
			const stored = slots[2 * slot];
			if (stored === 0 || stored === key + 1) return 2 * slot;
			slot = (slot + 1) & this.#mask;
		}
	}

	#grow() {
		const old = this.#slots;
		this.#slots = new Int32Array(2 * old.length);
		this.#mask = old.length - 1;
		for (let i = 0; i < old.length; i += 2) {
			const stored = old[i] as number;
			if (stored === 0) continue;
			const at = this.#find(stored - 1);
			this.#slots[at] = stored;
			this.#slots[at + 1] = old[i + 1] as number;
		}
	}

	/** Closes the gap, so that no search ends before its key. */
	#remove(at: number) {
		const slots = this.#slots;
		const mask = this.#mask;
		let gap = at / 2;
		for (let next = (gap + 1) & mask; slots[2 * next] !== 0; next = (next + 1) & mask) {
			const wanted = homeOf((slots[2 * next] as number) - 1, mask);
			const isBetween =
				gap <= next ? gap < wanted && wanted <= next : gap < wanted || wanted <= next;
			if (isBetween) continue;
			slots[2 * gap] = slots[2 * next] as number;
			slots[2 * gap + 1] = slots[2 * next + 1] as number;
			gap = next;
		}
		slots[2 * gap] = 0;
		slots[2 * gap + 1] = 0;
		this.#size--;
	}

	add(key: number, by: number): number {
		let at = this.#find(key);
		if (this.#slots[at] === 0) {
			if ((this.#size + 1) * 4 > (this.#mask + 1) * 3) {
				this.#grow();
				at = this.#find(key);
			}
			this.#slots[at] = key + 1;
			this.#slots[at + 1] = 0;
			this.#size++;
		}
		const count = (this.#slots[at + 1] as number) + by;
		this.#slots[at + 1] = count;
		if (count === 0) this.#remove(at);
		return count;
	}

	addAll(
		codes: Codes | undefined,
		offsets: Uint16Array,
		from: number,
		to: number,
		sums: Uint32Array,
	): void {
		if (!codes) {
			if (to > from) this.add(NONE, to - from);
			return;
		}
		for (let i = from; i < to; i++) {
			const code = codes[offsets[i] as number] as number;
			sums[code] = (sums[code] as number) + 1;
		}
		for (let i = from; i < to; i++) {
			const code = codes[offsets[i] as number] as number;
			const sum = sums[code] as number;
			if (sum === 0) continue;
			this.add(code, sum);
			sums[code] = 0;
		}
	}

	of(key: number): number {
		return this.#slots[this.#find(key) + 1] as number;
	}

	size(): number {
		return this.#size;
	}

	each(see: (key: number, count: number) => void): void {
		const slots = this.#slots;
		for (let i = 0; i < slots.length; i += 2)
			if (slots[i] !== 0) see((slots[i] as number) - 1, slots[i + 1] as number);
	}
}

function homeOf(key: number, mask: number): number {
	const mixed = Math.imul(key, 0x9e3779b1);
	return (mixed ^ (mixed >>> 15)) & mask;
}
