import { expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../../tests/setup/private-server';
import { follow, type Follower } from '../../../tests/setup/follow';
import { startTestInstance } from '../../../tests/setup/instances';
import { connect, type Sql } from './db/connect';

/** A server that counts statements, as its administrators do. */
async function useCountingServer(): Promise<{ url: string; sql: Sql }> {
	const server = await startServer({ shared_preload_libraries: 'pg_stat_statements' });
	onTestFinished(server.drop);
	const sql = connect(server.url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	await sql`create extension pg_stat_statements`;
	return { url: server.url, sql };
}

const readings = async (sql: Sql) =>
	Number(
		(
			await sql<{ calls: string }[]>`
				select coalesce(sum(calls), 0) as calls from pg_stat_statements
				where query ilike '%from events%' and query not ilike '%pg_stat_statements%'`
		)[0]?.calls,
	);

test('a thousand clients that come back at once, with a hundred cursors, cost at most 20 queries', async () => {
	const { url, sql } = await useCountingServer();
	const before = await startTestInstance(url, { frameIntervalMs: 5 });
	const watching = follow(before);
	await watching.until(() => watching.resets() === 1);
	// cursors of a hundred frames, some of them with holes: transactions that commit later
	const held: Sql[] = [];
	for (let i = 1; i <= 100; i++) {
		if (i % 20 === 0) {
			const one = connect(url, { max: 1 });
			onTestFinished(() => one.end({ timeout: 1 }));
			await one`begin`;
			await one`insert into events (name) values ('held')`;
			held.push(one);
		}
		await sql`insert into events (name) values (${`frame ${i}`})`;
		await watching.until(() => watching.ids.length === i);
	}
	for (const one of held) await one`commit`;
	await watching.until(() => watching.ids.length === 105);
	const frames = watching.events.filter(({ name }) => name === 'activity');
	const cursors = frames.map(({ id }) => id as string);
	expect(new Set(cursors).size).toBeGreaterThanOrEqual(100);

	// another process, whose ring knows none of them
	const after = await startTestInstance(url);
	await sql`insert into events (name) values ('meanwhile')`;
	await expect.poll(() => after.state().totals.eventsCount).toBe(106);
	const count = await readings(sql);
	const clients: [Follower, number][] = Array.from({ length: 1_000 }, (_, i) => {
		const place = i % cursors.length;
		const missed = frames
			.slice(place + 1)
			.reduce((sum, { data }) => sum + (data as { events: unknown[] }).events.length, 1);
		return [follow(after, cursors[place]), missed];
	});
	await Promise.all(clients.map(([one, missed]) => one.until(() => one.ids.length >= missed)));
	expect((await readings(sql)) - count).toBeLessThanOrEqual(20);
	for (const [one, missed] of clients)
		expect([new Set(one.ids).size, one.ids.length, one.resets()]).toEqual([missed, missed, 0]);
	await Promise.all(clients.map(([one]) => one.leave()));
}, 60_000);
