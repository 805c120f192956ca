/** Clients that come back with a cursor: by the ring, by the table, on another instance, too late. */
import { describe, expect, test } from 'vitest';
import { follow } from '../../../../tests/setup/follow';
import { readIds, startTestInstance, useDatabase } from '../../../../tests/setup/instances';
import { connect } from '../db/connect';
import { parseCursor, toId } from '../reader/cursor';

describe('coming back', () => {
	test('with the cursor of a frame in the ring, exactly what was missed comes, without a query for rows', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const first = follow(instance);
		await first.until(() => first.resets() === 1);
		await sql`insert into nowboard.events (name) values ('seen')`;
		await first.until(() => first.ids.length === 1);
		await first.leave();
		await sql`insert into nowboard.events (name) values ('missed')`;
		await expect.poll(() => instance.state().events.length).toBe(2);
		const again = follow(instance, first.cursor());
		await again.until(() => again.ids.length === 1);
		await sql`insert into nowboard.events (name) values ('live')`;
		await again.until(() => again.ids.length === 2);
		expect([again.ids, again.resets()]).toEqual([[2, 3], 0]);
	});

	test('the page and the stream join without a gap: the state carries the cursor to go on from', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		await sql`insert into nowboard.events (name) values ('in the page')`;
		await expect.poll(() => instance.state().events.length).toBe(1);
		const { cursor } = instance.state();
		await sql`insert into nowboard.events (name) values ('between')`;
		const client = follow(instance, cursor);
		await client.until(() => client.ids.length === 1);
		expect([client.ids, client.resets()]).toEqual([[2], 0]);
	});

	test('a client hops between two instances and gets each row once', async () => {
		const { url, sql } = await useDatabase();
		const instances = [await startTestInstance(url), await startTestInstance(url)];
		const ids: number[] = [];
		let cursor: string | null = instances[0]?.state().cursor ?? null;
		for (let hop = 0; hop < 20; hop++) {
			// the other instance may not have seen what the client has: it must look before it answers
			await sql`insert into nowboard.events (name) select 'hop' from generate_series(1, ${1 + (hop % 3)})`;
			const client = follow(instances[hop % 2] as (typeof instances)[0], cursor);
			await client.until(() => client.ids.length > 0);
			cursor = client.cursor();
			ids.push(...client.ids);
			expect(client.resets()).toBe(0);
			await client.leave();
		}
		const rest = follow(instances[0] as (typeof instances)[0], cursor);
		const missing = (await readIds(sql)).length - ids.length;
		await rest.until(() => rest.ids.length >= missing);
		expect([...ids, ...rest.ids].toSorted((a, b) => a - b)).toEqual(await readIds(sql));
	});

	test('who has seen a transaction end without a row is not ahead for that: no reset on an instance that saw it open', async () => {
		const { url, sql } = await useDatabase();
		const undone = connect(url, { max: 1 });
		await undone`begin`;
		await undone`insert into nowboard.events (name) values ('undone')`;
		const [{ tx }] = await undone<[{ tx: string }]>`select pg_current_xact_id()::text as tx`;
		const one = await startTestInstance(url);
		const client = follow(one);
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name) values ('beside it')`;
		await client.until(() => client.ids.length === 1);
		// this one has published the row with a hole below it, and nothing since
		const withHole = client.cursor() as string;
		expect(withHole).toMatch(/\..+/);
		await undone`rollback`;
		await undone.end();
		// no more than that one: what other databases of the server have open are holes too
		const parsed = parseCursor(withHole);
		if (!parsed.ok) throw new Error(parsed.reason);
		const { cursor } = parsed;
		const without = toId({ ...cursor, holes: cursor.holes.filter((hole) => hole !== BigInt(tx)) });
		expect(without).not.toBe(withHole);
		await client.until(() => client.of('metrics').length > 0);
		const back = follow(one, without);
		// it has joined: before anything new is there to publish
		await back.until(() => back.of('metrics').length + back.resets() > 0);
		await sql`insert into nowboard.events (name) values ('after')`;
		await back.until(() => back.ids.length === 1);
		expect([back.ids.length, back.resets()]).toEqual([1, 0]);
	});

	test.each([
		['no cursor', () => null],
		['a cursor that is none', () => 'nonsense'],
		['a cursor of another epoch', () => 'abc-1'],
		['a cursor ahead of the database', (here: string) => here.replace(/-.*/, '-zzzzzzzzz')],
		['a cursor that was too long to write', (here: string) => here.replace(/-.*/, '-.')],
	])('%s gets the whole state', async (_, toCursor) => {
		const { url, sql } = await useDatabase();
		await sql`insert into nowboard.events (name) values ('before')`;
		const instance = await startTestInstance(url);
		const client = follow(instance, toCursor(instance.state().cursor));
		await client.until(() => client.resets() === 1);
		expect(client.of('reset')[0]).toEqual(instance.state());
		await sql`insert into nowboard.events (name) values ('after')`;
		await client.until(() => client.ids.length === 1);
		expect(client.ids).toEqual([2]);
	});

	test('too far behind is a reset, just near enough is not', async () => {
		const { url, sql } = await useDatabase();
		const origin = (await startTestInstance(url)).state().cursor;
		await sql.unsafe(
			`do $$ begin for i in 1..100 loop insert into nowboard.events (name) select 'x' from generate_series(1, 100); commit; end loop; end $$`,
		);
		const fresh = await startTestInstance(url);
		const near = follow(fresh, origin);
		await near.until(() => near.ids.length === 10_000);
		expect([near.resets(), near.omitted()]).toEqual([0, 0]);
		expect(new Set(near.ids).size).toBe(10_000);
		await sql`insert into nowboard.events (name) values ('one more')`;
		const other = await startTestInstance(url);
		const far = follow(other, origin);
		await far.until(() => far.resets() === 1);
		expect(far.ids).toEqual([]);
	});
});

test('one that is far too late costs another nothing: who comes back beside it gets what was open when it left', async () => {
	const { url, sql } = await useDatabase();
	const origin = await startTestInstance(url);
	const far = origin.state().cursor;
	const held = connect(url, { max: 1 });
	await held`begin`;
	await held`insert into nowboard.events (name) values ('held')`;
	await sql.unsafe(
		`do $$ begin for i in 1..101 loop insert into nowboard.events (name) select 'x' from generate_series(1, 100); commit; end loop; end $$`,
	);
	await expect.poll(() => origin.state().totals.eventsCount).toBe(10_100);
	// everything seen, but for the transaction that is open
	const old = origin.state().cursor;
	await held`commit`;
	await held.end();
	const fresh = await startTestInstance(url);
	const [late, back] = [follow(fresh, far), follow(fresh, old)];
	await late.until(() => late.resets() === 1);
	await back.until(() => back.ids.length === 1);
	expect([back.ids, back.resets()]).toEqual([[1], 0]);
});
