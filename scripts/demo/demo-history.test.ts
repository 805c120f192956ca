import { expect, test } from 'vitest';
import { useDatabase } from '../../tests/setup/instances';
import { HISTORY_RANGES } from '../../src/lib/history';
import { readHistory } from '../../src/lib/server/history/range-query';
import { fillHistory } from './demo-history';

const RATE_PER_S = 1;

test('every range has figures in every bucket, the last half hour is full, and so is the one before', async () => {
	const { sql } = await useDatabase();
	await fillHistory(sql, { ratePerS: RATE_PER_S });
	for (const range of HISTORY_RANGES) {
		const { points, begins } = await readHistory(sql, { range, source: null, zone: 'UTC' });
		expect(begins).not.toBeNull();
		// the last bucket has just begun
		const quiet = points.slice(1, -1).filter(({ eventsCount }) => !eventsCount);
		expect([range, quiet]).toEqual([range, []]);
	}
	const [ticks] = await sql`
		WITH ends AS (SELECT max(recorded_at) AS at FROM nowboard.metrics_snapshots)
		SELECT count(*) FILTER (WHERE recorded_at < at - interval '29 minutes' AND events_count > 0)::int AS before,
			count(*) FILTER (WHERE recorded_at > at - interval '40 seconds' AND events_count > 100)::int AS newest
		FROM nowboard.metrics_snapshots, ends WHERE recorded_at > at - interval '30 minutes'`;
	expect(ticks).toEqual({ before: 29, newest: 20 });
}, 300_000);

test('its sums are those of its events, and every event is demo data', async () => {
	const { sql } = await useDatabase();
	await fillHistory(sql, { ratePerS: RATE_PER_S, days: 2 });
	const [sums] = await sql`
		SELECT (SELECT count(*)::int FROM nowboard.events) AS events,
			(SELECT sum(events)::int FROM nowboard.rollups WHERE source = '' AND step = 900) AS quarters,
			(SELECT count(*)::int FROM nowboard.events WHERE event_id::text NOT LIKE '6e6f7762-6f61-8%') AS others`;
	expect(sums?.events).toBeGreaterThan(1_000);
	expect(sums).toEqual({ events: sums?.events, quarters: sums?.events, others: 0 });
}, 300_000);

test('a demo that starts again fills only the time in which it did not run', async () => {
	const { sql } = await useDatabase();
	await fillHistory(sql, { ratePerS: RATE_PER_S, days: 1 });
	await sql`DELETE FROM nowboard.events WHERE created_at > now() - interval '10 minutes'`;
	const before = await sql`SELECT max(id) AS id, max(created_at) AS at FROM nowboard.events`;
	await fillHistory(sql, { ratePerS: RATE_PER_S, days: 1 });
	const [added] = await sql`
		SELECT count(*)::int AS n, min(created_at) >= ${before[0]?.at} AS later FROM nowboard.events WHERE id > ${before[0]?.id}`;
	expect(added?.n).toBeGreaterThan(20);
	expect(added?.later).toBe(true);
}, 300_000);
