/**
 * The top values of a dimension in one view. Counts every value; a short list of candidates spares reading all
 * counts for each frame: it is right as long as nothing outside has caught up with its last row.
 */
import type { Table } from '../../protocol';
import { createCounter } from './counter';
import { OTHERS } from './dictionary';
import type { Codes } from './segment';

export type Breakdown = {
	count(code: number, by: 1 | -1): void;
	/** Counts the codes of the first `length` rows in `offsets`. @see Counter.addAll */
	countAll(codes: Codes | undefined, offsets: Uint16Array, length: number, sums: Uint32Array): void;
	/** The most frequent first, ties by text; rows and `other` add up to the sum. An empty key: not there. */
	table(length: number): Table;
	/** The same of the values that have `text` in them. Reads every count; of ties at the end any are left out. */
	find(text: string, length: number): Table;
	/** Each value with its count, in no order. */
	each(): Iterable<[value: string, count: number]>;
	/** How many have a value that is not kept distinct. */
	others(): number;
	/** How many values there are. */
	size(): number;
};

/** Candidates kept beyond the rows that are asked for, so that rows may change places without a new reading. */
const SPARE = 24;

/** @param value the text of a code; empty for the dimension that is not there */
export function createBreakdown(value: (code: number) => string): Breakdown {
	const counts = createCounter();
	let sum = 0;
	let candidates = new Set<number>();
	/** no code outside the candidates has a higher count */
	let outside = 0;

	function isBefore(a: number, b: number): boolean {
		const [x, y] = [counts.of(a), counts.of(b)];
		return x > y || (x === y && value(a) < value(b));
	}

	function highest(length: number): number[] {
		const top: number[] = [];
		counts.each((code) => {
			if (code === OTHERS) return;
			const last = top[length - 1];
			if (last !== undefined && !isBefore(code, last)) return;
			const place = top.findIndex((one) => isBefore(code, one));
			top.splice(place === -1 ? top.length : place, 0, code);
			top.length = Math.min(top.length, length);
		});
		return top;
	}

	function read(length: number) {
		const top = highest(length + SPARE);
		candidates = new Set(top);
		const last = top.at(-1);
		outside = counts.size() > top.length && last !== undefined ? counts.of(last) : 0;
	}

	function sorted(): number[] {
		return [...candidates]
			.filter((code) => counts.of(code) > 0)
			.sort((a, b) => (isBefore(a, b) ? -1 : 1));
	}

	/** Sorts no more than `length`: to sort 50,000 by text takes a tenth of a second. */
	function toTop(codes: number[], length: number): number[] {
		const ascending = Uint32Array.from(codes, (code) => counts.of(code)).sort();
		const least = ascending.at(-length) ?? 0;
		const above = codes.filter((code) => counts.of(code) > least);
		const ties = codes.filter((code) => counts.of(code) === least);
		return [...above, ...ties]
			.slice(0, Math.max(length, above.length))
			.sort((a, b) => (isBefore(a, b) ? -1 : 1));
	}

	function toTable(codes: readonly number[]): Table {
		const rows = codes.map((code) => ({ key: value(code), count: counts.of(code) }));
		return { rows, other: rows.reduce((rest, { count }) => rest - count, sum) };
	}

	return {
		count(code, by) {
			sum += by;
			const count = counts.add(code, by);
			if (code === OTHERS || candidates.has(code)) return;
			if (count > outside) outside = count;
		},
		countAll(codes, offsets, length, sums) {
			if (length === 0) return;
			sum += length;
			counts.addAll(codes, offsets, 0, length, sums);
			outside = Infinity;
		},
		table(length) {
			let top = sorted();
			const last = top[length - 1];
			// a tie with one outside may be decided by its text
			if (last === undefined ? outside > 0 : counts.of(last) <= outside) {
				read(length);
				top = sorted();
			}
			return toTable(top.slice(0, length));
		},
		find(text, length) {
			const found: number[] = [];
			const wanted = text.toLowerCase();
			const isWanted = (code: number) => !text || value(code).toLowerCase().includes(wanted);
			counts.each((code) => void (code !== OTHERS && isWanted(code) && found.push(code)));
			return toTable(toTop(found, length));
		},
		*each() {
			const codes: number[] = [];
			counts.each((code) => void (code === OTHERS || codes.push(code)));
			for (const code of codes) yield [value(code), counts.of(code)];
		},
		others: () => counts.of(OTHERS),
		size: () => counts.size(),
	};
}
