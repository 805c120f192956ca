/** The filter over one event: for the feed, and for what a client missed. */
import { matches, toAllGroups, type Condition } from '../../filter';
import { readDimension, type DimensionRow } from './dimension-values';

export function createRowMatch(condition: Condition): (row: DimensionRow) => boolean {
	const groups = toAllGroups(condition);
	return (row) =>
		groups.every((group) =>
			group.some((clause) => matches(clause, readDimension(row, clause.dimension))),
		);
}
