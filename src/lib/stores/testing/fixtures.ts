/** Believable values for the tests beside this file. */
import type {
	ActivityEvent,
	DashboardState,
	LiveFigures,
	Metrics,
	Series,
	Table,
	Tick,
	Totals,
} from '../../protocol';

/** Database time at which the fixtures begin: 2026-11-23 14:00 UTC, in ms epoch. */
export const START = Date.UTC(2026, 10, 23, 14);

/** ISO time, `ms` after START. */
export const toTime = (ms: number): string => new Date(START + ms).toISOString();

export const toTotals = (eventsCount: number): Totals => ({
	pageViews: 0,
	activeSessions: 0,
	eventsCount,
	eventsPerMinute: 0,
});

export const toTables = (eventsCount: number): LiveFigures['tables'] => {
	const none: Table = { rows: [], other: 0 };
	const all: Table =
		eventsCount > 0 ? { rows: [{ key: 'x', count: eventsCount }], other: 0 } : none;
	return { path: none, referrer: none, name: all, country: none };
};

export const toFigures = (ms: number, eventsCount = 0): LiveFigures => ({
	totals: toTotals(eventsCount),
	tables: toTables(eventsCount),
	at: toTime(ms),
	blurred: [],
	reach: null,
});

export const NO_SERIES: Series = { minutes: [], seconds: [] };

export const toTick = (ms: number, eventsCount = 0): Tick => ({
	...toTotals(eventsCount),
	recordedAt: toTime(ms),
});

export const toMetrics = (ms: number, eventsCount = 0, more: Partial<Metrics> = {}): Metrics => ({
	...toTick(ms, eventsCount),
	figures: toFigures(ms, eventsCount),
	previous: null,
	series: NO_SERIES,
	...more,
});

export const toEvent = (id: number, ms = id): ActivityEvent => ({
	id,
	eventId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
	name: 'page_view',
	source: 'test',
	sessionId: null,
	properties: { path: '/' },
	context: null,
	createdAt: toTime(ms),
});

export const toState = (more: Partial<DashboardState> = {}): DashboardState => ({
	...toFigures(0),
	cursor: 'e-0',
	filter: [],
	bound: [],
	by: ['path', 'referrer', 'name', 'country'],
	series: NO_SERIES,
	previous: null,
	events: [],
	...more,
});
