/**
 * Reads the page at a moment from the table, in one snapshot: what a page would show at that time if every event had arrived
 * when it was created. Late rows count where they belong. People are what the ticks recorded.
 */
import { measureOf, type Dimension } from '../../dimensions';
import { toFilterTexts } from '../../filter';
import {
	COUNT_WINDOW_MS,
	FEED_LENGTH,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TABLE_LENGTH,
	type ActivityEvent,
	type Moment,
	type Presence,
	type SeriesPoint,
	type Table,
} from '../../protocol';
import type { Sql } from '../db/connect';
import { reachesBack, toRangeTable } from '../history/range-tables';
import { readDimension, type DimensionRow } from '../live/dimension-values';
import { createRowMatch } from '../live/match-row';
import { isEverything, RECENT_EVENTS } from '../live/state';
import { readPeopleMinutes, readPrevious, readTickPeople } from '../live/tick';
import type { ViewSpec } from '../live/views';
import { toActivityEvent, toRow, type RawRow } from '../reader/row';
import { columns } from '../reader/rows';
import { readWindowGroups } from './window-groups';

/** No event that is kept is as old. */
export class BeforeDataError extends Error {
	constructor(at: number) {
		super(`at is ${new Date(at).toISOString()}: no event that is kept is as old.`);
		this.name = 'BeforeDataError';
	}
}

/** A view at a time, ms since 1970. */
export type MomentSpec = ViewSpec & { at: number };

/** Of the whole reading: ranges of this length take a second for a million events. */
const TIMEOUT_MS = 20_000;
/** Rows that the feed is looked for in at a time. */
const FEED_PIECE = 250;
/** A window of a million events has that many groups: sorting them on disk takes twice as long. */
const WORK_MEM = '64MB';

/** @param signal cancels the statement that runs @throws BeforeDataError */
export async function readMoment(
	sql: Sql,
	view: MomentSpec,
	signal?: AbortSignal,
): Promise<Moment> {
	return (await sql.begin('isolation level repeatable read read only', async (tx) => {
		const sql = tx as unknown as Sql;
		await sql`select set_config('statement_timeout', ${String(TIMEOUT_MS)}, true),
			set_config('work_mem', ${WORK_MEM}, true), set_config('jit', 'off', true)`;
		const { at, filter, bound = [], by } = view;
		if (!(await reachesBack(sql, at))) throw new BeforeDataError(at);
		const isAll = isEverything(view);
		const figures = await readFigures(sql, view, signal);
		return {
			...figures,
			at: new Date(at).toISOString(),
			blurred: [],
			reach: null,
			filter: toFilterTexts(filter),
			bound: toFilterTexts(bound),
			by: [...by],
			previous: isAll ? await readPrevious(sql, at) : null,
			events: await readFeed(sql, view, signal),
			people: isAll ? ((await readTickPeople(sql, at)) ?? 'unknown') : ('unknown' as Presence),
			peopleMinutes: isAll ? await readPeopleMinutes(sql, at) : null,
		} satisfies Moment;
	})) as Moment;
}

/** Buckets as the live chart has them: those that lie in the window as a whole, and the running one. */
const SERIES = [
	{ key: 'minutes', stepMs: 60_000 },
	{ key: 'seconds', stepMs: 2_000 },
] as const;
const BUCKETS = 30;

/** Begins of the last buckets at a time. */
const toBegins = (stepMs: number, at: number) =>
	Array.from({ length: BUCKETS }, (_, i) => (Math.floor(at / stepMs) - BUCKETS + 1 + i) * stepMs);

/** Windows are `at − w < createdAt ≤ at`; times are whole milliseconds. */
async function readFigures(
	sql: Sql,
	view: MomentSpec,
	signal?: AbortSignal,
): Promise<Pick<Moment, 'totals' | 'tables' | 'series'>> {
	const { at, by } = view;
	const begin = (windowMs: number) => at - windowMs + 1;
	const [first, session, rate] = [COUNT_WINDOW_MS, SESSION_WINDOW_MS, RATE_WINDOW_MS].map(
		begin,
	) as [number, number, number];
	const times = [first, session, rate, ...SERIES.flatMap(({ stepMs }) => toBegins(stepMs, at))];
	const bounds = [...new Set(times.filter((time) => time >= first))].sort((a, b) => a - b);
	const totals = { pageViews: 0, activeSessions: 0, eventsCount: 0, eventsPerMinute: 0 };
	const sessions = new Set<string>();
	const buckets = SERIES.map(({ key, stepMs }) => ({
		key,
		stepMs,
		points: new Map(
			toBegins(stepMs, at).map((at) => [at, { events: 0, pageViews: 0, sessions: new Set() }]),
		),
	}));
	const values = new Map<string, Map<string, number>>(by.map((one) => [one, new Map()]));

	await readWindowGroups(
		sql,
		{ ...view, bounds: [...bounds, at + 1] },
		({ row, slot, events, pageViews, of, sessions: ids }) => {
			for (const dimension of of) {
				const count = measureOf(dimension) === 'page_views' ? pageViews : events;
				const counts = values.get(dimension);
				const key = readDimension(row, dimension) ?? '';
				if (count > 0) counts?.set(key, (counts.get(key) ?? 0) + count);
			}
			if (slot === null) return;
			const time = bounds[slot] as number;
			totals.eventsCount += events;
			totals.pageViews += pageViews;
			if (time >= rate) totals.eventsPerMinute += events;
			const known = ids.flatMap((sessionId) => toSession({ ...row, sessionId }) ?? []);
			if (time >= session) for (const id of known) sessions.add(id);
			for (const { stepMs, points } of buckets) {
				const point = points.get(Math.floor(time / stepMs) * stepMs);
				if (!point) continue;
				point.events += events;
				point.pageViews += pageViews;
				for (const id of known) point.sessions.add(id);
			}
		},
		signal,
	);

	const toPoints = (key: 'minutes' | 'seconds'): SeriesPoint[] =>
		[...(buckets.find((one) => one.key === key)?.points ?? [])].map(([at, point]) => ({
			...{ at, events: point.events, pageViews: point.pageViews },
			sessions: point.sessions.size,
		}));
	return {
		totals: { ...totals, activeSessions: sessions.size },
		tables: Object.fromEntries(by.map((one) => [one, toTable(values.get(one) ?? new Map())])),
		series: { minutes: toPoints('minutes'), seconds: toPoints('seconds') },
	};
}

const toSession = (row: DimensionRow) => readDimension(row, 'session');

function toTable(now: Map<string, number>): Table {
	const { rows, other } = toRangeTable({ now, before: null }, { length: TABLE_LENGTH });
	return { rows, other };
}

/** The newest events created until then, newest first, among as many as the live feed is looked for in. */
async function readFeed(
	sql: Sql,
	view: MomentSpec,
	signal?: AbortSignal,
): Promise<ActivityEvent[]> {
	const match = createRowMatch(view);
	const found: ActivityEvent[] = [];
	const pieces = sql<RawRow[]>`
		select ${columns(sql)} from ${sql.schema}.events
		where events.created_at <= ${new Date(view.at)} and events.created_at > '-infinity'
		order by events.created_at desc, events.id desc limit ${RECENT_EVENTS}`.cursor(FEED_PIECE);
	for await (const piece of pieces) {
		signal?.throwIfAborted();
		for (const row of piece.map(toRow)) {
			if (found.length === FEED_LENGTH) return found;
			if (row.fault === null && match(row)) found.push(toActivityEvent(row));
		}
	}
	return found;
}

/** The whole list of a breakdown at a moment. */
export async function readMomentValues(
	sql: Sql,
	{ at, filter, bound = [] }: Omit<MomentSpec, 'by'>,
	dimension: Dimension,
	signal?: AbortSignal,
): Promise<Map<string, number>> {
	const counts = new Map<string, number>();
	await readWindowGroups(
		sql,
		{ filter, bound, by: [dimension], bounds: [at - COUNT_WINDOW_MS + 1, at + 1] },
		({ row, events, pageViews, of }) => {
			const count = measureOf(dimension) === 'page_views' ? pageViews : events;
			const key = readDimension(row, dimension) ?? '';
			if (of.length > 0 && count > 0) counts.set(key, (counts.get(key) ?? 0) + count);
		},
		signal,
	);
	return counts;
}
