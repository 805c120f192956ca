/**
 * Compiles a filter over the codes of the window store. Each group of clauses is a table by code, filled when
 * a value first gets its code: a row costs one look-up a group, however many values and operators there are.
 */
import { matches, toAllGroups, toFilterTexts, type Clause, type Condition } from '../../filter';
import type { Dimension } from '../../dimensions';
import { NONE, OTHERS } from './dictionary';
import type { Codes, Segment } from './segment';
import type { WindowStore } from './window-store';

/** A group of clauses on one dimension: `hits` is 1 for the codes that it lets through. */
export type ClauseTable = {
	readonly dimension: Dimension;
	readonly column: (segment: Segment) => Codes | undefined;
	/** larger when there are more codes, so it must not be kept */
	hits: Uint8Array;
};

export type RowTest = {
	test(segment: Segment, offset: number): boolean;
	/** Moves the offsets of rows that pass to the front of `offsets`; @returns how many of the first `length` do. */
	select(segment: Segment, offsets: Uint16Array, length: number): number;
	/** The group that lets the fewest rows through; undefined: there is none. */
	readonly narrowest: ClauseTable | undefined;
	/** Dimensions of the filter with values that are not kept distinct: rows may be missing. */
	blurred(): Dimension[];
	close(): void;
};

export type ClauseTables = {
	/** Views with the same clauses share their tables. */
	compile(condition: Condition): RowTest;
};

type SharedTable = ClauseTable & { users: number; close(): void };

/** Stands for a value that is not kept distinct: none that anybody can ask for. */
const UNKNOWN = '\0';

/** @param store gives the values their codes; a group of clauses that several views have is one table */
export function createClauseTables(store: WindowStore): ClauseTables {
	const tables = new Map<string, SharedTable>();

	function create(group: readonly Clause[]): SharedTable {
		const { dimension } = group[0] as Clause;
		const isHit = (value: string | null) => group.some((clause) => matches(clause, value));
		const table: SharedTable = {
			dimension,
			column: store.column(dimension),
			hits: new Uint8Array(64),
			users: 0,
			close: () => {},
		};
		function set(code: number, hit: boolean) {
			if (code >= table.hits.length) {
				const larger = new Uint8Array(Math.max(code + 1, table.hits.length * 2));
				larger.set(table.hits);
				table.hits = larger;
			}
			table.hits[code] = hit ? 1 : 0;
		}
		table.close = store.followCodes(dimension, {
			reset() {
				set(NONE, isHit(null));
				set(OTHERS, isHit(UNKNOWN));
			},
			see: (code, value) => set(code, isHit(value)),
		});
		return table;
	}

	/** How many rows of the window a group lets through now. */
	function countHits({ dimension, hits }: ClauseTable): number {
		const dictionary = store.dictionary(dimension);
		let [count, there] = [0, 0];
		for (let code = OTHERS; dictionary && code < dictionary.capacity(); code++) {
			const uses = dictionary.uses(code);
			there += uses;
			if (hits[code] === 1) count += uses;
		}
		return hits[NONE] === 1 ? count + store.rows() - there : count;
	}

	return {
		compile(condition) {
			const used = toAllGroups(condition)
				.map((group) => {
					const key = toFilterTexts(group).join('\0');
					const table = tables.get(key) ?? create(group);
					tables.set(key, table);
					table.users++;
					return { key, table, isNegated: group[0]?.negated === true, count: countHits(table) };
				})
				// in an empty window what a clause excludes is little
				.sort((a, b) => a.count - b.count || Number(a.isNegated) - Number(b.isNegated));
			const groups = used.map(({ table }) => table);
			return {
				narrowest: groups[0],
				test(segment, offset) {
					for (let i = 0; i < groups.length; i++) {
						const { column, hits } = groups[i] as ClauseTable;
						if (hits[column(segment)?.[offset] ?? NONE] !== 1) return false;
					}
					return true;
				},
				select(segment, offsets, length) {
					let left = length;
					for (const { column, hits } of groups) {
						const codes = column(segment);
						if (codes) left = keep(offsets, left, codes, hits);
						else if (hits[NONE] !== 1) left = 0;
					}
					return left;
				},
				blurred: () =>
					groups
						.map(({ dimension }) => dimension)
						.filter((one) => (store.dictionary(one)?.others() ?? 0) > 0),
				close() {
					for (const { key, table } of used.splice(0)) {
						if (--table.users > 0) continue;
						tables.delete(key);
						table.close();
					}
				},
			};
		},
	};
}

function keep(offsets: Uint16Array, length: number, codes: Codes, hits: Uint8Array): number {
	let kept = 0;
	for (let i = 0; i < length; i++) {
		const offset = offsets[i] as number;
		offsets[kept] = offset;
		kept += hits[codes[offset] as number] as number;
	}
	return kept;
}
