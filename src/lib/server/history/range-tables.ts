/** The breakdowns and the filtered figures of a range, counted from the events that are kept. */
import type { Sql } from '../db/connect';
import { measureOf, type Dimension } from '../../dimensions';
import type { Condition } from '../../filter';
import { TABLE_LENGTH, type RangeTable } from '../../protocol';
import { readDimension } from '../live/dimension-values';
import { readGroups } from './event-groups';

/** Events and page views of a bucket. */
export type Count = { events: number; pageViews: number };

/** The filtered counts of each bucket. */
export async function readCounts(
	sql: Sql,
	condition: Condition,
	bounds: readonly number[],
	signal?: AbortSignal,
): Promise<Count[]> {
	const counts = bounds.slice(1).map(() => ({ events: 0, pageViews: 0 }));
	const add = (slot: number, events: number, pageViews: number) => {
		const count = counts[slot];
		if (!count) return;
		count.events += events;
		count.pageViews += pageViews;
	};
	await readGroups(
		sql,
		{ ...condition, by: [], bounds },
		({ slot, events, pageViews }) => add(slot, events, pageViews),
		signal,
	);
	return counts;
}

/**
 * The top values of a dimension, each with its count in the period before.
 * @param bounds begin of the period before, its end, begin of this one, end of this one
 */
export async function readTable(
	sql: Sql,
	condition: Condition,
	dimension: Dimension,
	bounds: readonly [number, number, number, number],
	{ length = TABLE_LENGTH, signal }: { length?: number; signal?: AbortSignal } = {},
): Promise<RangeTable> {
	const ofPageViews = measureOf(dimension) === 'page_views';
	const now = new Map<string, number>();
	const before = new Map<string, number>();
	let sum = 0;
	await readGroups(
		sql,
		{ ...condition, by: [dimension], bounds },
		({ row, slot, events, pageViews }) => {
			const count = ofPageViews ? pageViews : events;
			// slot 1 lies between the two periods
			if (count === 0 || slot === 1) return;
			const key = readDimension(row, dimension) ?? '';
			const counts = slot === 0 ? before : now;
			counts.set(key, (counts.get(key) ?? 0) + count);
			if (slot === 2) sum += count;
		},
		signal,
	);
	const sorted = [...now].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
	const rows = sorted
		.slice(0, length)
		.map(([key, count]) => ({ key, count, before: before.get(key) ?? 0 }));
	return {
		rows,
		other: rows.reduce((rest, { count }) => rest - count, sum),
		values: now.size,
	};
}
