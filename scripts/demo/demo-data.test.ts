import { expect, test } from 'vitest';
import { randomUUID } from 'node:crypto';
import { follow } from '../../tests/setup/follow';
import { startTestInstance, useDatabase } from '../../tests/setup/instances';
import { clearDemoData, toDemoId } from './demo-data';
import { seed, SEED_EVENTS, SEED_SNAPSHOTS } from './seed-data';

test('demo data goes, with the ticks that counted it; everything else stays, whatever it is called', async () => {
	const { sql } = await useDatabase();
	await seed(sql);
	await sql`INSERT INTO nowboard.events ${sql([
		{ event_id: toDemoId(randomUUID()), name: 'page_view', source: 'web' },
		// what a product that is called like the demo would send
		{ event_id: randomUUID(), name: 'page_view', source: 'web' },
		{ event_id: randomUUID(), name: 'mine', source: 'simulator' },
		{ event_id: '6e6f7762-6f61-4fff-bfff-ffffffffffff', name: 'near', source: 'api' },
	])}`;
	await sql`
		INSERT INTO nowboard.metrics_snapshots
			(tick, page_views, active_sessions, events_count, events_per_minute, recorded_at, cursor)
		VALUES (1, 1, 1, 1, 1, now(), 'counted'), (2, 0, 0, 0, 0, now() - interval '2 hours', 'before'),
			(3, 0, 0, 0, 0, now() + interval '2 hours', 'after')`;
	expect(await clearDemoData(sql)).toEqual({ events: SEED_EVENTS + 1, ticks: SEED_SNAPSHOTS + 1 });
	const names = await sql`SELECT name FROM nowboard.events ORDER BY id`;
	expect(names.map(({ name }) => name)).toEqual(['page_view', 'mine', 'near']);
	const ticks = await sql`SELECT cursor FROM nowboard.metrics_snapshots ORDER BY tick`;
	expect(ticks.map(({ cursor }) => cursor)).toEqual(['before', 'after']);
	expect(await clearDemoData(sql)).toEqual({ events: 0, ticks: 0 });
});

test('an open page counts again, without what was removed', async () => {
	const { sql, url } = await useDatabase();
	await seed(sql);
	await sql`INSERT INTO nowboard.events (name) VALUES ('mine')`;
	const instance = await startTestInstance(url);
	const client = follow(instance);
	await client.until(({ of }) => of('reset').at(-1)?.totals.eventsCount === SEED_EVENTS + 1);
	await clearDemoData(sql);
	await client.until(({ of }) => of('reset').at(-1)?.totals.eventsCount === 1);
	expect(
		client
			.of('reset')
			.at(-1)
			?.events.map(({ name }) => name),
	).toEqual(['mine']);
	await client.leave();
});

test('nothing to remove leaves the cursors alone', async () => {
	const { sql } = await useDatabase();
	const epoch = () => sql`SELECT value FROM nowboard.meta WHERE key = 'epoch'`;
	const before = await epoch();
	await clearDemoData(sql);
	expect([...(await epoch())]).toEqual([...before]);
});
