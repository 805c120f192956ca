/**
 * Compiles a filter over the codes of the window store. Each group of clauses is a table by code, filled when
 * a value first gets its code: a row costs one look-up a group, however many values and operators there are.
 */
import { matches, toAllGroups, toFilterTexts, type Clause, type Condition } from '../../filter';
import type { Dimension } from '../../dimensions';
import { NONE, OTHERS, type Dictionary } from './dictionary';
import type { Segment } from './segment';
import type { WindowStore } from './window-store';

export type RowTest = {
	test(segment: Segment, offset: number): boolean;
	/** Dimensions of the filter with values that are not kept distinct: rows may be missing. */
	blurred(): Dimension[];
	close(): void;
};

export type ClauseTables = {
	/** Views with the same clauses share their tables. */
	compile(condition: Condition): RowTest;
};

type Table = { dimension: Dimension; hits: Uint8Array; users: number; close(): void };

/** Stands for a value that is not kept distinct: none that anybody can ask for. */
const UNKNOWN = '\0';

export function createClauseTables(store: WindowStore): ClauseTables {
	const tables = new Map<string, Table>();

	function create(group: readonly Clause[]): Table {
		const { dimension } = group[0] as Clause;
		const isHit = (value: string | null) => group.some((clause) => matches(clause, value));
		const table: Table = { dimension, hits: new Uint8Array(64), users: 0, close };
		let stopDictionary = () => {};

		function set(code: number, hit: boolean) {
			if (code >= table.hits.length) {
				const larger = new Uint8Array(Math.max(code + 1, table.hits.length * 2));
				larger.set(table.hits);
				table.hits = larger;
			}
			table.hits[code] = hit ? 1 : 0;
		}
		function follow(dictionary: Dictionary | undefined) {
			stopDictionary();
			set(NONE, isHit(null));
			set(OTHERS, isHit(UNKNOWN));
			stopDictionary = dictionary?.follow((code, value) => set(code, isHit(value))) ?? (() => {});
		}
		follow(store.dictionary(dimension));
		const stopKeys = store.followKeys((made) => {
			if (made === dimension) follow(store.dictionary(dimension));
		});
		function close() {
			stopDictionary();
			stopKeys();
		}
		return table;
	}

	return {
		compile(condition) {
			const used = toAllGroups(condition).map((group) => {
				const key = toFilterTexts(group).join('\0');
				const table = tables.get(key) ?? create(group);
				tables.set(key, table);
				table.users++;
				return { key, table, read: store.reader(table.dimension) };
			});
			return {
				test(segment, offset) {
					for (const { table, read } of used)
						if (table.hits[read(segment, offset)] !== 1) return false;
					return true;
				},
				blurred: () =>
					used
						.map(({ table }) => table.dimension)
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
