/** The breakdowns and the filtered figures of a range, counted from the events that are kept. */
import type { Sql } from '../db/connect';
import { measureOf, type Dimension } from '../../dimensions';
import type { Condition } from '../../filter';
import type { RangeTable } from '../../history';
import { TABLE_LENGTH } from '../../protocol';
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

/** Begin of the period before, its end, begin of this one, end of this one; ms since 1970. */
export type Periods = readonly [number, number, number, number];
/** How often each value of a dimension occurs. `before`: null where events do not reach back so far. */
type ValueCounts = { now: Map<string, number>; before: Map<string, number> | null };

/** Whether there is an event of that time or older. */
export async function reachesBack(sql: Sql, at: number): Promise<boolean> {
	const found = await sql`select from ${sql.schema}.events
		where created_at <= ${new Date(at)} and created_at > '-infinity' limit 1`;
	return found.length > 0;
}

/** How often each value of a dimension occurs in each slot of `bounds`. */
export async function countBySlot(
	sql: Sql,
	condition: Condition,
	dimension: Dimension,
	bounds: readonly number[],
	signal?: AbortSignal,
): Promise<Map<string, number>[]> {
	const ofPageViews = measureOf(dimension) === 'page_views';
	const slots = bounds.slice(1).map(() => new Map<string, number>());
	await readGroups(
		sql,
		{ ...condition, by: [dimension], bounds },
		({ row, slot, events, pageViews }) => {
			const [counts, count] = [slots[slot], ofPageViews ? pageViews : events];
			if (count === 0 || !counts) return;
			const key = readDimension(row, dimension) ?? '';
			counts.set(key, (counts.get(key) ?? 0) + count);
		},
		signal,
	);
	return slots;
}

/** Counts every value of a dimension in both periods. */
export async function countValues(
	sql: Sql,
	condition: Condition,
	dimension: Dimension,
	bounds: Periods,
	signal?: AbortSignal,
): Promise<ValueCounts> {
	const [before = new Map(), , now = new Map()] = await countBySlot(
		sql,
		condition,
		dimension,
		bounds,
		signal,
	);
	return { now, before: (await reachesBack(sql, bounds[0])) ? before : null };
}

/** The most frequent values that have `text` in them, each with its count in the period before. */
export function toRangeTable(
	{ now, before }: ValueCounts,
	{ length = TABLE_LENGTH, text = '' }: { length?: number; text?: string } = {},
): RangeTable {
	const wanted = text.toLowerCase();
	const rows = [...now]
		.filter(([key]) => key.toLowerCase().includes(wanted))
		.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
		.slice(0, length)
		.map(([key, count]) => ({ key, count, ...(before && { before: before.get(key) ?? 0 }) }));
	const sum = [...now.values()].reduce((all, count) => all + count, 0);
	return {
		rows,
		other: rows.reduce((rest, { count }) => rest - count, sum),
		values: now.size,
	};
}
