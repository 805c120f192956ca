/**
 * A range of history under a filter, with its breakdowns. Without a filter, or for one source, cards and chart come from
 * the rollups, which outlast the events; everything else is counted from the events that are kept.
 */
import type { Sql } from '../db/connect';
import { PROPS, type Dimension } from '../../dimensions';
import { toFilterTexts, type Condition } from '../../filter';
import { toMeasures } from '../../measures';
import type { History, HistoryFigures, HistoryPoint, HistoryRange, Values } from '../../history';
import { toMs } from '../db/time';
import { readHistory, type RangeSums } from './range-query';
import { countValues, readCounts, toRangeTable, type Count, type Periods } from './range-tables';

export type RangeSpec = Condition & {
	range: HistoryRange;
	by: readonly Dimension[];
	/** IANA time zone */
	zone: string;
	/** the present, ms since 1970; null: the database's clock */
	at?: number | null;
};

/** @param signal stops counting @throws ZoneError */
export async function readRange(
	sql: Sql,
	{ range, filter, bound = [], by, zone, at = null }: RangeSpec,
	signal?: AbortSignal,
): Promise<History> {
	const condition = { filter, bound };
	const source = sourceOf(condition);
	const sums = await readHistory(sql, { range, source, zone, at });
	const isSummed = filter.length + bound.length === 0 || (source !== null && sums.kept);
	const figures = isSummed ? sums : await count(sql, sums, condition, signal);
	const tables: History['tables'] = {};
	for (const dimension of by)
		tables[dimension] = toRangeTable(
			await countValues(sql, condition, dimension, periodsOf(sums), signal),
		);
	const { from, to, through } = sums;
	const { totals, previousTotals, points, previous, begins } = figures;
	return {
		...{ range, zone, from, to, at: sums.at, begins, through, filter: toFilterTexts(filter) },
		...{ totals, previousTotals, points, previous, tables },
	};
}

export type ValuesSpec = Omit<RangeSpec, 'by'> & {
	dimension: Dimension;
	/** a part of the values that are wanted */
	text: string;
	length: number;
};

/** The whole list of a breakdown. @throws ZoneError */
export async function readRangeValues(
	sql: Sql,
	{ range, filter, bound = [], zone, at = null, dimension, text, length }: ValuesSpec,
): Promise<Values> {
	const sums = await readHistory(sql, { range, source: null, zone, at });
	const counts = await countValues(sql, { filter, bound }, dimension, periodsOf(sums));
	const measures = dimension.startsWith(PROPS) ? toMeasures(counts.now) : null;
	return { dimension, at: sums.at, ...toRangeTable(counts, { length, text }), measures };
}

/** The source, when the filter is nothing else. */
function sourceOf({ filter, bound = [] }: Condition): string | null {
	const [only, ...more] = [...filter, ...bound];
	const isSource = only?.dimension === 'source' && only.operator === ':' && !only.negated;
	return isSource && more.length === 0 && only.value !== '' ? only.value : null;
}

/** The period before as far as this one has come, and this one. */
export function periodsOf({ at, bounds }: Pick<RangeSums, 'at' | 'bounds'>): Periods {
	const half = (bounds.length - 1) / 2;
	const [first, middle, last] = [bounds[0], bounds[half], bounds.at(-1)] as [
		number,
		number,
		number,
	];
	const cut = Math.min(Date.parse(at) - (middle - first), middle);
	return [first, Math.max(cut, first), middle, last];
}
type Figures = Pick<History, 'totals' | 'previousTotals' | 'points' | 'previous' | 'begins'>;

async function count(
	sql: Sql,
	sums: RangeSums,
	condition: Condition,
	signal?: AbortSignal,
): Promise<Figures> {
	const { bounds } = sums;
	const half = (bounds.length - 1) / 2;
	const [first, cut, , last] = periodsOf(sums);
	const [oldest] = await sql<{ at: number | null }[]>`
		select ${toMs(sql, 'min(created_at)')} as at from ${sql.schema}.events where created_at > '-infinity'`;
	const begins = oldest?.at ?? null;
	const counts = await readCounts(sql, condition, bounds, signal);
	const [before] = await readCounts(sql, condition, [first, cut], signal);
	const isKnown = (until: number) => begins !== null && until > begins;
	const toPoint = (i: number): HistoryPoint => ({
		at: new Date(bounds[i] as number).toISOString(),
		...toFigures(isKnown(bounds[i + 1] as number) ? counts[i] : undefined),
	});
	const indices = (from: number, to: number) =>
		Array.from({ length: to - from }, (_, i) => from + i);
	return {
		begins: begins === null ? null : new Date(begins).toISOString(),
		totals: toFigures(isKnown(last) ? sum(counts.slice(half)) : undefined),
		previousTotals: begins !== null && begins <= first ? toFigures(before) : null,
		points: indices(half, 2 * half).map(toPoint),
		previous: indices(0, half).map(toPoint),
	};
}

/** Sessions are recorded for everything together: under a filter they are not known. */
function toFigures(count: Count | undefined): HistoryFigures {
	if (!count) return { pageViews: null, eventsCount: null, activeSessions: null };
	return { pageViews: count.pageViews, eventsCount: count.events, activeSessions: null };
}

function sum(counts: readonly Count[]): Count {
	return counts.reduce(
		(all, { events, pageViews }) => ({
			events: all.events + events,
			pageViews: all.pageViews + pageViews,
		}),
		{ events: 0, pageViews: 0 },
	);
}
