/**
 * What the demo shows from its first second: ninety days of a growing product, the last half hour in full. Events are inserted
 * with their times and counted by the server's own rollup job; ticks are counted from those events. Runs before the server.
 */
import { randomUUID } from 'node:crypto';
import {
	COUNT_WINDOW_MS,
	PAGE_VIEW,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TICK_MS,
} from '../../src/lib/protocol';
import type { Sql } from '../../src/lib/server/db/connect';
import { addContext } from '../../src/lib/server/ingest/context';
import { countAll } from '../../src/lib/server/history/rollup';
import { createRandom } from '../visitors/random';
import { steady } from '../visitors/rhythm';
import { createVisitors, WARM_UP_MS } from '../visitors/visitors';
import { toDemoId } from './demo-data';
import { insertEvents, type PastEvent } from './insert-events';

const DAYS = 90;
/** The part that the feed shows: visits in full. Before it events are like those of visits, each for itself. */
const RECENT_MS = COUNT_WINDOW_MS + 60_000;
/** A gap that is shorter is no gap. */
const LEAST_MS = 5_000;
const QUARTER_S = 900;
/** Different events that the past is made of. */
const KINDS = 2_000;

/** Adds what is missing up to now: ninety days at first, later the time in which the demo did not run. */
export async function fillHistory(
	sql: Sql,
	{ ratePerS, days = DAYS, seed = Date.now() }: { ratePerS: number; days?: number; seed?: number },
): Promise<void> {
	const { now, last } = await readClock(sql);
	const from = Math.max(last, now - days * 86_400_000);
	const middle = Math.max(from, now - RECENT_MS);
	if (middle - from > LEAST_MS) await insertPast(sql, { from, to: middle, now, seed });
	await insertTicks(sql, { from, to: middle, stepMs: QUARTER_S * 1_000 });
	await countAll(sql);
	// that took a while: the last half hour ends now
	const to = (await readClock(sql)).now;
	if (to - middle > LEAST_MS) await insertRecent(sql, { from: middle, to, ratePerS, seed });
	await insertTicks(sql, { from: middle, to, stepMs: TICK_MS });
	await countAll(sql);
}

/** In ms since 1970: the database's time, and the newest event's; 0: there is none. */
async function readClock(sql: Sql): Promise<{ now: number; last: number }> {
	const [clock] = await sql<{ now: Date; last: Date | null }[]>`
		SELECT clock_timestamp() AS now, max(created_at) AS last FROM ${sql.schema}.events`;
	return { now: clock?.now.getTime() ?? 0, last: clock?.last?.getTime() ?? 0 };
}

/**
 * Busier by day than by night, quieter at weekends, and growing: about 300,000 events in ninety days. What they are is drawn
 * from those of simulated visits.
 */
async function insertPast(
	sql: Sql,
	{ from, to, now, seed }: { from: number; to: number; now: number; seed: number },
): Promise<void> {
	const first = new Date(from);
	const end = new Date(to);
	const present = new Date(now);
	const next = simulate(seed, 1);
	const kinds = addContext(
		Array.from({ length: KINDS }, () => next().event),
		null,
		() => ({}),
	).map(({ name, source, properties: { url: _url, title: _title, ...properties }, context }) => ({
		name,
		source,
		properties,
		context,
	}));
	await sql`
		INSERT INTO ${sql.schema}.events (event_id, name, source, session_id, properties, context, created_at)
		SELECT ${demoId(sql)}, name, source,
			'demo-' || floor(extract(epoch FROM at) / 240) || '-' || floor(random() * greatest(1, 60 * rate)),
			properties, context, date_trunc('milliseconds', at)
		FROM (
			SELECT quarter, (0.015 + 0.4 * exp(-extract(epoch FROM ${present}::timestamptz - quarter) / 518400))
				* (1 + 0.55 * sin((extract(hour FROM quarter) + extract(minute FROM quarter) / 60 - 9) / 24 * 2 * pi()))
				* CASE WHEN extract(isodow FROM quarter) > 5 THEN 0.7 ELSE 1 END * (0.85 + 0.3 * random()) AS rate
			FROM generate_series(${first}::timestamptz, ${end}::timestamptz, ${`${QUARTER_S} seconds`}::interval) AS quarter
		) AS quarters
		CROSS JOIN LATERAL generate_series(1, round(rate * ${QUARTER_S})::int) AS n
		-- n: a moment of its own for each event, not one for the quarter
		CROSS JOIN LATERAL (
			SELECT quarter + (random() + 0 * n) * ${`${QUARTER_S} seconds`}::interval AS at, 1 + floor(${KINDS}::integer * random() + 0 * n) AS kind
		) AS moment
		JOIN (
			SELECT row_number() OVER () AS kind, kinds.* FROM jsonb_to_recordset(${sql.json(kinds as never)}::jsonb)
				AS kinds(name text, source text, properties jsonb, context jsonb)
		) AS kinds USING (kind)
		WHERE at < ${end}::timestamptz`;
}

async function insertRecent(
	sql: Sql,
	{ from, to, ratePerS, seed }: { from: number; to: number; ratePerS: number; seed: number },
): Promise<void> {
	const next = simulate(seed, ratePerS);
	const events: PastEvent[] = [];
	for (let one = next(); from + one.atMs < to; one = next())
		events.push({
			eventId: toDemoId(randomUUID()),
			ageMs: to - from - Math.round(one.atMs),
			...one.event,
		});
	await insertEvents(sql, events, new Date(to));
}

const simulate = (seed: number, ratePerS: number) =>
	createVisitors(createRandom(seed), { ratePerS, rhythm: steady, warmUpMs: WARM_UP_MS });

/** As the server writes them: every two seconds for the last half hour, before it one in a quarter, for the peaks of history. */
async function insertTicks(
	sql: Sql,
	{ from, to, stepMs }: { from: number; to: number; stepMs: number },
): Promise<void> {
	const ms = (length: number) => `${length} milliseconds`;
	await sql`
		INSERT INTO ${sql.schema}.metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		SELECT floor(extract(epoch FROM at) * 1000 / ${TICK_MS}::integer), counted.*, at, 'seed'
		FROM generate_series(${new Date(from)}::timestamptz, ${new Date(to)}::timestamptz, ${ms(stepMs)}::interval) AS at
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE name = ${PAGE_VIEW}),
				count(DISTINCT session_id) FILTER (WHERE created_at > at - ${ms(SESSION_WINDOW_MS)}::interval),
				count(*),
				count(*) FILTER (WHERE created_at > at - ${ms(RATE_WINDOW_MS)}::interval)
			FROM ${sql.schema}.events WHERE created_at > at - ${ms(COUNT_WINDOW_MS)}::interval AND created_at <= at
		) AS counted
		ON CONFLICT (tick) DO NOTHING`;
}

/** As `toDemoId` makes them. */
const demoId = (sql: Sql) =>
	sql`(${toDemoId('').slice(0, 15)} || substr(gen_random_uuid()::text, 16))::uuid`;
