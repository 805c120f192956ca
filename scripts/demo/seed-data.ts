/** 100 events of the last half hour and 50 ticks up to now: believable, and the same for the same seed number. */
import {
	COUNT_WINDOW_MS,
	PAGE_VIEW,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TICK_MS,
} from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import { toDemoId } from './demo-data';
import { createRandom, toUuid } from '../visitors/random';
import { steady } from '../visitors/rhythm';
import { createVisitors, WARM_UP_MS } from '../visitors/visitors';
import { insertEvents, type PastEvent } from './insert-events';

export const SEED_EVENTS = 100;
export const SEED_SNAPSHOTS = 50;

export type SeedSnapshot = {
	ageMs: number;
	pageViews: number;
	activeSessions: number;
	eventsCount: number;
	eventsPerMinute: number;
};

/** Oldest first; ages are milliseconds before now. The ticks count exactly these events. */
export function createSeed(seed: number): { events: PastEvent[]; snapshots: SeedSnapshot[] } {
	const random = createRandom(seed);
	const ratePerS = SEED_EVENTS / (COUNT_WINDOW_MS / 1000);
	const next = createVisitors(random, { ratePerS, rhythm: steady, warmUpMs: WARM_UP_MS });
	const visits = Array.from({ length: SEED_EVENTS }, next);
	// the last one happens now, the first just within the half hour
	const scale = (COUNT_WINDOW_MS - 1) / (visits.at(-1)?.atMs || 1);
	const events = visits.map(({ atMs, event }) => ({
		eventId: toDemoId(toUuid(random)),
		ageMs: Math.floor(COUNT_WINDOW_MS - 1 - atMs * scale),
		...event,
	}));
	const snapshots = Array.from({ length: SEED_SNAPSHOTS }, (_, index) =>
		count(events, (SEED_SNAPSHOTS - 1 - index) * TICK_MS),
	);
	return { events, snapshots };
}

function count(events: PastEvent[], ageMs: number): SeedSnapshot {
	const within = (windowMs: number) =>
		events.filter((event) => event.ageMs >= ageMs && event.ageMs < ageMs + windowMs);
	return {
		ageMs,
		pageViews: within(COUNT_WINDOW_MS).filter(({ name }) => name === PAGE_VIEW).length,
		activeSessions: new Set(within(SESSION_WINDOW_MS).map(({ sessionId }) => sessionId)).size,
		eventsCount: within(COUNT_WINDOW_MS).length,
		eventsPerMinute: within(RATE_WINDOW_MS).length,
	};
}

/** Inserts them relative to the database's clock. Again with the same number: only ticks that are missing by now are added. */
export async function seed(sql: Sql, number = 1): Promise<{ events: number; snapshots: number }> {
	const { events, snapshots } = createSeed(number);
	return sql.begin(async (tx) => {
		const inserted = await insertEvents(tx as unknown as Sql, events);
		const recorded = await tx`
			INSERT INTO ${tx.schema}.metrics_snapshots
				(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
			SELECT floor(extract(epoch FROM at) * 1000 / ${TICK_MS}::integer), "pageViews", "activeSessions", "eventsCount",
				"eventsPerMinute", at, 'seed'
			FROM jsonb_to_recordset(${tx.json(snapshots)}::jsonb) AS seed("ageMs" integer, "pageViews" integer,
				"activeSessions" integer, "eventsCount" integer, "eventsPerMinute" integer)
			CROSS JOIN LATERAL (
				SELECT date_trunc('milliseconds', now()) - "ageMs" * interval '1 millisecond' AS at
			) AS clock
			ON CONFLICT (tick) DO NOTHING`;
		return { events: inserted, snapshots: recorded.count };
	});
}
