/**
 * The visitors in the screenshots: an hour and more of history, then live ones that go on where history ends. The same ones
 * in every run, whatever the hour: the pictures change when the page does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PAGE_VIEW, TICK_MS } from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import { countAll } from '../../src/lib/server/history/rollup';
import { createRandom, toUuid } from '../visitors/random';
import { steady } from '../visitors/rhythm';
import { createPresence } from '../visitors/presence';
import { createSender, tell } from '../visitors/send';
import { createVisitors, WARM_UP_MS, type Timed } from '../visitors/visitors';
import { insertEvents, type PastEvent } from './insert-events';

/** More than two windows of the figures, so that there is a half hour before to compare with. */
const HISTORY_MS = 70 * 60_000;
const STEP_MS = 50;

/** `present`: who of them is on a page */
export type Visitors = { next: () => Timed; present: ReturnType<typeof createPresence> };

export function createScreenshotVisitors(seed: number, ratePerS: number): Visitors {
	const options = { ratePerS, rhythm: steady, warmUpMs: WARM_UP_MS };
	return {
		next: createVisitors(createRandom(seed), options),
		present: createPresence(createRandom(seed)),
	};
}

/** Writes what they did up to now, and the ticks that are looked at; returns the first event that is still to come. */
export async function writeHistory(sql: Sql, { next, present }: Visitors): Promise<Timed> {
	const random = createRandom(1);
	const events: PastEvent[] = [];
	let upcoming = next();
	for (; upcoming.atMs < HISTORY_MS; upcoming = next()) {
		present.saw(upcoming);
		const ageMs = Math.round(HISTORY_MS - upcoming.atMs);
		events.push({ eventId: toUuid(random), ageMs, ...upcoming.event });
	}
	await insertEvents(sql, events);
	// the chart shows the last ones, the change is measured against those of half an hour ago
	await sql`
		INSERT INTO ${sql.schema}.metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		SELECT tick,
			count(*) FILTER (WHERE name = ${PAGE_VIEW}),
			count(DISTINCT session_id) FILTER (WHERE created_at > at - interval '5 minutes'),
			count(*),
			count(*) FILTER (WHERE created_at > at - interval '1 minute'),
			at, 'screenshots'
		FROM (
			SELECT tick, to_timestamp(tick * ${TICK_MS}::integer / 1000.0) AS at
			FROM generate_series(0, 1020) AS age,
				LATERAL (SELECT floor(extract(epoch FROM now()) * 1000 / ${TICK_MS}::integer)::bigint - age AS tick) t
			WHERE age < 30 OR age > 600
		) AS ticks
		JOIN ${sql.schema}.events ON created_at > at - interval '30 minutes' AND created_at <= at
		GROUP BY tick, at`;
	return upcoming;
}

const WEEKS_S = 15 * 24 * 60 * 60;

/**
 * What a small shop saw in the two weeks before: more by day than by night, less at weekends, a little more this week. Summed as
 * the server does.
 */
export async function writeWeeks(sql: Sql): Promise<void> {
	await sql`select setseed(0.5)`;
	await sql`
		INSERT INTO ${sql.schema}.events (name, source, session_id, created_at)
		SELECT CASE WHEN random() < 0.6 THEN ${PAGE_VIEW} ELSE 'click' END, 'web', 's' || floor(random() * 5000), at
		FROM (
			SELECT now() - s * interval '1 second' AS at, random() AS chance,
				sin((extract(hour FROM now() - s * interval '1 second') - 7) / 24 * 2 * pi()) AS sun,
				extract(isodow FROM now() - s * interval '1 second') > 5 AS weekend
			FROM generate_series(${HISTORY_MS / 1_000}::int, ${WEEKS_S}::int) AS s
		) AS seconds
		WHERE chance < (0.15 + 0.6 * greatest(sun, 0)) * CASE WHEN weekend THEN 0.55 ELSE 1 END
			* CASE WHEN at > now() - interval '7 days' THEN 1.15 ELSE 1 END`;
	await countAll(sql);
}

/** Lets them go on through the public API until `signal` ends it; time before `first` is skipped. */
export async function sendLive(
	url: string,
	{ next, present }: Visitors,
	signal: AbortSignal,
	first = next(),
): Promise<void> {
	const send = createSender(new URL('/api/events', url).href, signal);
	const presence = new URL('/api/presence', url).href;
	const began = performance.now() - first.atMs;
	let upcoming = first;
	while (!signal.aborted) {
		await delay(STEP_MS);
		const events: object[] = [];
		const clockMs = performance.now() - began;
		for (; upcoming.atMs <= clockMs; upcoming = next()) {
			present.saw(upcoming);
			events.push(upcoming.event);
		}
		if (events.length > 0) await send.add(events);
		void tell(presence, present.due(clockMs));
	}
	await send.finish();
}
