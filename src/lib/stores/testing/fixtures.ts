/** Believable values for the tests beside this file. */
import type {
	ActivityEvent,
	DashboardState,
	Figures,
	Metrics,
	Table,
	Tables,
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

export const toTables = (eventsCount: number): Tables => {
	const none: Table = { rows: [], other: 0 };
	const all: Table =
		eventsCount > 0 ? { rows: [{ key: 'x', count: eventsCount }], other: 0 } : none;
	return { pages: none, referrers: none, names: all, sources: all };
};

export const toFigures = (ms: number, eventsCount = 0): Figures => ({
	totals: toTotals(eventsCount),
	tables: toTables(eventsCount),
	at: toTime(ms),
});

export const toTick = (ms: number, eventsCount = 0): Tick => ({
	...toTotals(eventsCount),
	recordedAt: toTime(ms),
});

export const toMetrics = (ms: number, eventsCount = 0, more: Partial<Metrics> = {}): Metrics => ({
	...toTick(ms, eventsCount),
	figures: toFigures(ms, eventsCount),
	previous: null,
	...more,
});

export const toEvent = (id: number, ms = id): ActivityEvent => ({
	id,
	eventId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
	name: 'page_view',
	source: 'test',
	sessionId: null,
	properties: { path: '/' },
	createdAt: toTime(ms),
});

export const toState = (more: Partial<DashboardState> = {}): DashboardState => ({
	...toFigures(0),
	cursor: 'e-0',
	source: null,
	series: [],
	previous: null,
	events: [],
	...more,
});
