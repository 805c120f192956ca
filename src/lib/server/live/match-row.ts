/** The filter over one event: for the feed, and for what a client missed. */
import { matches, toAllGroups, toFilterTexts, type Clause, type Condition } from '../../filter';
import type { Dimension } from '../../dimensions';
import { readDimension, type DimensionRow } from './dimension-values';

/** @returns whether a row has, for each dimension of the filter, a value that it lets through */
export function createRowMatch(condition: Condition): (row: DimensionRow) => boolean {
	const groups = toAllGroups(condition);
	return (row) =>
		groups.every((group) =>
			group.some((clause) => matches(clause, readDimension(row, clause.dimension))),
		);
}

/** Clauses of which one must hold, by a key that is equal for equal groups. */
export type MatchGroup = { key: string; clauses: readonly Clause[] };

/** @returns the groups of clauses, each with a key that is the same for the same clauses of another view */
export function toMatchGroups(condition: Condition): MatchGroup[] {
	return toAllGroups(condition).map((clauses) => ({
		key: toFilterTexts(clauses).join('\0'),
		clauses,
	}));
}

/**
 * Filters the same rows for many views: each dimension is read once, and each group of clauses is tested once.
 * @returns the rows that pass all groups, in their order
 */
export function createBatchMatch<Row extends DimensionRow>(
	rows: readonly Row[],
): (groups: readonly MatchGroup[]) => readonly Row[] {
	const columns = new Map<Dimension, (string | null)[]>();
	const passing = new Map<string, boolean[]>();

	function columnOf(dimension: Dimension) {
		const known = columns.get(dimension);
		if (known) return known;
		const column = rows.map((row) => readDimension(row, dimension));
		columns.set(dimension, column);
		return column;
	}

	function test({ key, clauses }: MatchGroup): boolean[] {
		const known = passing.get(key);
		if (known) return known;
		const column = columnOf((clauses[0] as Clause).dimension);
		const tested = column.map((value) => clauses.some((clause) => matches(clause, value)));
		passing.set(key, tested);
		return tested;
	}

	return (groups) => {
		if (groups.length === 0 || rows.length === 0) return rows;
		const tested = groups.map(test);
		return rows.filter((_, i) => tested.every((one) => one[i]));
	};
}
