/** Believable values for the tests beside this file. */
import type { ActivityEvent, DashboardState, Tick, Totals } from '../protocol';

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

export const toTick = (ms: number, eventsCount = 0): Tick => ({
	...toTotals(eventsCount),
	recordedAt: toTime(ms),
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
	cursor: 'e-0',
	at: toTime(0),
	totals: toTotals(0),
	series: [],
	previous: null,
	events: [],
	...more,
});
