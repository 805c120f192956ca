/** The filter over one event: for the feed, and for what a client missed. */
import { matches, toGroups, type Filter } from '../../filter';
import { readDimension, type DimensionRow } from './dimension-values';

export function createRowMatch(filter: Filter): (row: DimensionRow) => boolean {
	const groups = toGroups(filter);
	return (row) =>
		groups.every((group) =>
			group.some((clause) => matches(clause, readDimension(row, clause.dimension))),
		);
}
