/** A set of row ids that fits a million of them for each of hundreds of clients: a bit each. */
export type Bitmap = {
	/** @returns false when it was there already */
	add(id: number): boolean;
	has(id: number): boolean;
	clear(): void;
	/** every id, ascending */
	ids(): Generator<number>;
};

export function createBitmap(): Bitmap {
	let words = new Uint32Array(1_024);
	return {
		add(id) {
			const word = id >>> 5;
			if (word >= words.length) {
				const larger = new Uint32Array(Math.max(words.length * 2, word + 1));
				larger.set(words);
				words = larger;
			}
			const bit = 1 << (id & 31);
			const before = words[word] as number;
			words[word] = before | bit;
			return (before & bit) === 0;
		},
		has: (id) => (((words[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1,
		clear: () => void words.fill(0),
		*ids() {
			for (let word = 0; word < words.length; word++) {
				const bits = words[word] as number;
				if (bits === 0) continue;
				for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) yield word * 32 + bit;
			}
		},
	};
}
