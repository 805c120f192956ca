import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../tests/setup/database';
import { createSeed, seed, SEED_EVENTS, SEED_SNAPSHOTS } from './seed-data';

test('the same number gives the same data', () => {
	expect(createSeed(1)).toEqual(createSeed(1));
	expect(createSeed(1)).not.toEqual(createSeed(2));
});

test('seeds 100 events of the last half hour and 50 ticks up to now, once', async () => {
	const { sql, drop } = await createDatabase();
	onTestFinished(drop);
	expect(await seed(sql, 1)).toEqual({ events: SEED_EVENTS, snapshots: SEED_SNAPSHOTS });
	const [events] = await sql`
		SELECT count(*)::int AS n, min(created_at) > now() - interval '30 minutes' AS young, max(created_at) <= now() AS past,
			bool_and(jsonb_typeof(properties) = 'object') AS objects
		FROM nowboard.events`;
	expect(events).toEqual({ n: 100, young: true, past: true, objects: true });
	const [ticks] = await sql`
		SELECT count(*)::int AS n, (max(tick) - min(tick))::int AS span, max(recorded_at) > now() - interval '10 seconds' AS now,
			bool_and(tick = floor(extract(epoch FROM recorded_at) / 2)) AS numbered
		FROM nowboard.metrics_snapshots`;
	expect(ticks).toEqual({ n: 50, span: 49, now: true, numbered: true });

	expect(await seed(sql, 1)).toMatchObject({ events: 0 });
});

test('the figures of every tick are what SQL counts in the seeded events', async () => {
	const { sql, drop } = await createDatabase();
	onTestFinished(drop);
	await seed(sql, 3);
	const wrong = await sql`
		SELECT * FROM nowboard.metrics_snapshots AS tick CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE name = 'page_view') AS views, count(*) AS total,
				count(*) FILTER (WHERE created_at > recorded_at - interval '1 minute') AS minute,
				count(DISTINCT session_id) FILTER (WHERE created_at > recorded_at - interval '5 minutes') AS sessions
			FROM nowboard.events WHERE created_at > recorded_at - interval '30 minutes' AND created_at <= recorded_at
		) AS counted
		WHERE (page_views, active_sessions, events_count, events_per_minute)
			IS DISTINCT FROM (views, sessions, total, minute)`;
	expect([...wrong]).toEqual([]);
});
