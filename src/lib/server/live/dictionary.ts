/**
 * The values of one dimension that are in the window, as small numbers. A value keeps its code for as long as
 * a row has it; then the code is used again, so whatever is kept by code must be empty by then.
 */

export type Dictionary = {
	/** A row has this value. @returns its code */
	acquire(value: string): number;
	/** A row with this code has left the window. */
	release(code: number): void;
	/** The text of a code in use; `NONE` and `OTHERS` have none. */
	value(code: number): string;
	/** How many rows have this code. Rows without the dimension are not counted. */
	uses(code: number): number;
	/** Codes are below this. */
	capacity(): number;
	/** How many values are kept distinct now. */
	size(): number;
	/** How many rows have a value that is not kept distinct. */
	others(): number;
	/** Calls `see` for every code in use, and from now on for every new one, before a row has it. @returns stop */
	follow(see: (code: number, value: string) => void): () => void;
};

/** The dimension is not there. */
export const NONE = 0;
/** There are too many values: those beyond the bound share this code. */
export const OTHERS = 1;

/** @param maxValues kept distinct at a time */
export function createDictionary(maxValues: number): Dictionary {
	const codes = new Map<string, number>();
	const values: string[] = ['', ''];
	const uses: number[] = [0, 0];
	const free: number[] = [];
	const followers = new Set<(code: number, value: string) => void>();

	function create(value: string): number {
		const code = free.pop() ?? values.length;
		values[code] = value;
		uses[code] = 0;
		codes.set(value, code);
		for (const see of followers) see(code, value);
		return code;
	}

	return {
		acquire(value) {
			const code = codes.get(value) ?? (codes.size < maxValues ? create(value) : OTHERS);
			uses[code] = (uses[code] as number) + 1;
			return code;
		},
		release(code) {
			const left = (uses[code] as number) - 1;
			uses[code] = left;
			if (left > 0 || code <= OTHERS) return;
			codes.delete(values[code] as string);
			values[code] = '';
			free.push(code);
		},
		value: (code) => values[code] as string,
		uses: (code) => uses[code] as number,
		capacity: () => values.length,
		size: () => codes.size,
		others: () => uses[OTHERS] as number,
		follow(see) {
			for (const [value, code] of codes) see(code, value);
			followers.add(see);
			return () => void followers.delete(see);
		},
	};
}
