/**
 * Counts by number: how often each key is there, exactly, and how many keys there are.
 * Open addressing in two typed arrays, 8 bytes a slot; a `Map` takes five times as much.
 */

export type Counter = {
	/** @returns the key's new count; a key whose count becomes 0 is forgotten */
	add(key: number, by: 1 | -1): number;
	of(key: number): number;
	/** How many keys have a count. */
	size(): number;
	each(see: (key: number, count: number) => void): void;
};

const FIRST_SLOTS = 16;

/** Keys are whole numbers from 0 to 2^32 − 2. */
export function createCounter(): Counter {
	let slots = FIRST_SLOTS;
	/** key + 1, so that 0 means empty */
	let keys = new Uint32Array(slots);
	let counts = new Int32Array(slots);
	let size = 0;

	const home = (key: number) => (Math.imul(key, 0x9e3779b1) >>> 0) & (slots - 1);

	function slotOf(key: number): number {
		let slot = home(key);
		while (keys[slot] !== 0 && keys[slot] !== key + 1) slot = (slot + 1) & (slots - 1);
		return slot;
	}

	function resize(to: number) {
		const old = { keys, counts };
		slots = to;
		keys = new Uint32Array(slots);
		counts = new Int32Array(slots);
		for (let i = 0; i < old.keys.length; i++) {
			const stored = old.keys[i] as number;
			if (stored === 0) continue;
			const slot = slotOf(stored - 1);
			keys[slot] = stored;
			counts[slot] = old.counts[i] as number;
		}
	}

	/** Closes the gap, so that no search ends before its key. */
	function remove(slot: number) {
		let gap = slot;
		for (let next = (gap + 1) & (slots - 1); keys[next] !== 0; next = (next + 1) & (slots - 1)) {
			const wanted = home((keys[next] as number) - 1);
			const isBetween =
				gap <= next ? gap < wanted && wanted <= next : gap < wanted || wanted <= next;
			if (isBetween) continue;
			keys[gap] = keys[next] as number;
			counts[gap] = counts[next] as number;
			gap = next;
		}
		keys[gap] = 0;
		size--;
	}

	return {
		add(key, by) {
			let slot = slotOf(key);
			if (keys[slot] === 0) {
				if ((size + 1) * 4 > slots * 3) {
					resize(slots * 2);
					slot = slotOf(key);
				}
				keys[slot] = key + 1;
				counts[slot] = 0;
				size++;
			}
			const count = (counts[slot] as number) + by;
			counts[slot] = count;
			if (count === 0) remove(slot);
			return count;
		},
		of(key) {
			const slot = slotOf(key);
			return keys[slot] === 0 ? 0 : (counts[slot] as number);
		},
		size: () => size,
		each(see) {
			for (let i = 0; i < slots; i++)
				if (keys[i] !== 0) see((keys[i] as number) - 1, counts[i] as number);
		},
	};
}
