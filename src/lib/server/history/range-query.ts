/**
 * Reads a range of history from the sums in `rollups`: three short queries over one key range, whatever the size of `events`.
 * Where buckets begin is Postgres's calendar (days and hours of the viewer's zone, 23 and 25 hours long where clocks change).
 * It knows neither the stream nor caches.
 */
import type { Sql } from '../db/connect';
import type { History, HistoryFigures, HistoryPoint, HistoryRange } from '../../history';
import { toIso, toMs } from '../db/time';
import { STEPS } from './rollup';

type Plan = {
	/** of one bucket, as Postgres calls it; a quarter has no name there */
	unit: 'minute' | 'quarter' | 'hour' | 'day';
	/** how many, the running one among them */
	buckets: number;
	/** of the sums it is made of */
	step: number;
};

const PLANS: Record<HistoryRange, Plan> = {
	'30min': { unit: 'minute', buckets: 30, step: STEPS.minute },
	'24h': { unit: 'quarter', buckets: 96, step: STEPS.minute },
	'7d': { unit: 'hour', buckets: 7 * 24, step: STEPS.quarter },
	'90d': { unit: 'day', buckets: 90, step: STEPS.quarter },
};

const QUARTER_MS = 15 * 60_000;

/** The zone is none that is known, here or by Postgres. */
export class ZoneError extends Error {
	constructor(zone: string) {
		super(`zone is "${zone.slice(0, 40)}": it must be an IANA time zone, such as Europe/Berlin.`);
		this.name = 'ZoneError';
	}
}

type Group = { i: number; own: boolean; sums: number; first: Sums; full: Sums };
type Sums = { events: number; views: number; peak: number | null };

/** A range as the rollups have it. */
export type RangeSums = Omit<History, 'filter' | 'tables'> & {
	/** false: the source has no sums of its own, and every figure is null */
	kept: boolean;
	/** ms since 1970: begins of the buckets, the period before first, and the end of the last */
	bounds: number[];
};

/**
 * @param at the present, ms since 1970; null: the database's clock
 * @throws ZoneError
 */
export async function readHistory(
	sql: Sql,
	{
		range,
		source,
		zone,
		at: given = null,
	}: { range: HistoryRange; source: string | null; zone: string; at?: number | null },
): Promise<RangeSums> {
	const { buckets, step } = PLANS[range];
	const { at, bounds } = await readBounds(sql, range, zone, given);
	const shiftMs = (bounds[buckets] as number) - (bounds[0] as number);
	const times = `{${bounds.map((bound) => new Date(bound).toISOString()).join(',')}}`;
	// the period before as far as this one has come, or a day that has just begun looks like a bad one
	const cut = new Date(at - shiftMs);
	const [groups, [state]] = await Promise.all([
		sql<Group[]>`
			select width_bucket(start, ${times}::timestamptz[]) - 1 as i, source <> '' or ${source === null} as own,
				count(*)::int as sums,
				jsonb_build_object('events', sum(events), 'views', sum(page_views), 'peak', max(peak_sessions)) as full,
				jsonb_build_object('events', coalesce(sum(events) filter (where start < ${cut}), 0),
					'views', coalesce(sum(page_views) filter (where start < ${cut}), 0),
					'peak', max(peak_sessions) filter (where start < ${cut})) as first
			from ${sql.schema}.rollups
			where step = ${step} and source in ('', ${source ?? ''})
				and start >= ${new Date(bounds[0] as number)} and start < ${new Date(bounds.at(-1) as number)}
			group by 1, 2`,
		sql<{ through: number | null; kept: boolean; begins: number | null }[]>`
			select ${toMs(sql, 'through')} as through, ${source}::text is null or ${source ?? ''} = any(sources) as kept,
				(select ${toMs(sql, 'min(start)')} from ${sql.schema}.rollups where step = ${STEPS.quarter} and source = '') as begins
			from ${sql.schema}.rollup_state`,
	]);
	const begins = state?.begins ?? null;
	const kept = state?.kept ?? false;
	const watched = new Set(groups.map(({ i }) => i));
	const own = new Map(groups.filter((group) => group.own).map((group) => [group.i, group]));

	const toFigures = (sums: Sums): HistoryFigures => ({
		pageViews: sums.views,
		eventsCount: sums.events,
		activeSessions: source === null ? sums.peak : null,
	});
	const nothing: HistoryFigures = { pageViews: null, eventsCount: null, activeSessions: null };
	const toPoint = (i: number): HistoryPoint => {
		// a minute of which not even a tick is known is a gap, never a zero
		const known = kept && watched.has(i);
		const sums = own.get(i)?.full ?? { events: 0, views: 0, peak: null };
		return { at: toTime(bounds[i] as number), ...(known ? toFigures(sums) : nothing) };
	};
	const total = (from: number, to: number, part: 'first' | 'full') => {
		const sums = [...own].filter(([i]) => i >= from && i < to).map(([, group]) => group[part]);
		if (!kept || ![...watched].some((i) => i >= from && i < to)) return nothing;
		return toFigures({
			events: sums.reduce((sum, { events }) => sum + events, 0),
			views: sums.reduce((sum, { views }) => sum + views, 0),
			peak: sums.reduce<number | null>(
				(most, { peak }) => (peak === null ? most : Math.max(most ?? 0, peak)),
				null,
			),
		});
	};
	const indices = (from: number, to: number) =>
		Array.from({ length: to - from }, (_, i) => from + i);
	return {
		range,
		bounds,
		zone,
		from: toTime(bounds[buckets] as number),
		to: toTime(bounds[2 * buckets] as number),
		at: toTime(at),
		begins: toIso(begins),
		through: toIso(state?.through ?? null),
		kept,
		totals: total(buckets, 2 * buckets, 'full'),
		previousTotals:
			begins !== null && begins <= (bounds[0] as number) ? total(0, buckets, 'first') : null,
		points: indices(buckets, 2 * buckets).map(toPoint),
		previous: indices(0, buckets).map(toPoint),
	};
}

const toTime = (at: number) => new Date(at).toISOString();

/** Begins of twice as many buckets as the range has, the period before first, and the end of the running one. */
async function readBounds(
	sql: Sql,
	range: HistoryRange,
	zone: string,
	given: number | null,
): Promise<{ at: number; bounds: number[] }> {
	const { unit, buckets } = PLANS[range];
	const now = given === null ? sql`clock_timestamp()` : sql`${new Date(given)}::timestamptz`;
	const back = 2 * buckets - 1;
	try {
		const [row] = await sql<{ at: number; bounds: number[] }[]>`
			select floor(extract(epoch from now) * 1000) as at,
				(select to_jsonb(array_agg(extract(epoch from bound) * 1000 order by bound)) from ${
					unit === 'day'
						? sql`(select day at time zone ${zone} as bound from generate_series(
							date_trunc('day', now at time zone ${zone}) - make_interval(days => ${back}),
							date_trunc('day', now at time zone ${zone}) + interval '1 day', '1 day') as day) as days`
						: sql`generate_series(-${back}::int, 1) as i, lateral (select ${
								unit === 'quarter'
									? sql`date_bin('15 minutes', now, 'epoch')`
									: sql`date_trunc(${unit}, now, ${zone})`
							} + i * ${`${unitMs(unit)} ms`}::interval as bound) as bounds`
				}) as bounds
			from (select ${now} as now) as clock`;
		if (!row) throw new Error('the calendar was not read');
		return row;
	} catch (error) {
		if ((error as { code?: string }).code === '22023') throw new ZoneError(zone);
		throw error;
	}
}

const unitMs = (unit: Exclude<Plan['unit'], 'day'>) =>
	({ minute: 60_000, quarter: QUARTER_MS, hour: 4 * QUARTER_MS })[unit];
