import { setTimeout as pause } from 'node:timers/promises';
import type { OpenView } from '../live/views';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../../../tests/setup/private-server';
import { follow, type Follower } from '../../../../tests/setup/follow';
import { startTestInstance, useDatabase } from '../../../../tests/setup/instances';
import { createBus } from './ring';
import { createCatchUp, MAX_CATCH_UP } from './catch-up';
import { atSnapshot, toId, type Cursor } from '../reader/cursor';
import { connect, type Sql } from '../db/connect';
import type { Batch } from '../reader/drain';
import { readUnseen } from '../reader/rows';
import type { Joined } from './client-stream';

/** A server that counts statements, as its administrators do. */
async function useCountingServer(): Promise<{ url: string; sql: Sql }> {
	const server = await startServer({ shared_preload_libraries: 'pg_stat_statements' });
	onTestFinished(server.drop);
	const sql = connect(server.url, { max: 1 });
	onTestFinished(() => sql.end({ timeout: 1 }));
	await sql`create extension pg_stat_statements`;
	return { url: server.url, sql };
}

const all = { key: 'all', match: () => true } as unknown as OpenView;

const readings = async (sql: Sql) =>
	Number(
		(
			await sql<{ calls: string }[]>`
				select coalesce(sum(calls), 0) as calls from pg_stat_statements
				where query ilike '%from "nowboard".events%' and query not ilike '%pg_stat_statements%'`
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
			await one`insert into nowboard.events (name) values ('held')`;
			held.push(one);
		}
		await sql`insert into nowboard.events (name) values (${`frame ${i}`})`;
		await watching.until(() => watching.ids.length === i);
	}
	for (const one of held) await one`commit`;
	await watching.until(() => watching.ids.length === 105);
	const frames = watching.events.filter(({ name }) => name === 'activity');
	const cursors = frames.map(({ id }) => id as string);
	expect(new Set(cursors).size).toBeGreaterThanOrEqual(100);

	// another process, whose ring knows none of them
	const after = await startTestInstance(url);
	await sql`insert into nowboard.events (name) values ('meanwhile')`;
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
}, 300_000);

describe('a cursor is what a client says', () => {
	/** Catching up alone, in a database of its own, to where `stand` was called last. */
	async function useCatchUp() {
		const { url, sql } = await useDatabase();
		// as other tests' databases do: a transaction that is open on the same server
		const elsewhere = connect((await useDatabase()).url, { max: 1 });
		onTestFinished(() => elsewhere.end({ timeout: 1 }));
		await elsewhere`begin`;
		await elsewhere`select pg_current_xact_id()`;
		const bus = createBus();
		let here: Cursor | null = null;
		/** when each round began: it takes a connection */
		const begun: number[] = [];
		const catchUp = createCatchUp({
			bus,
			connect() {
				begun.push(performance.now());
				return connect(url, { max: 1 });
			},
			force: async () => {},
			published: () => here,
			encode: (batch, _, id) => ({
				event: 'activity',
				bytes: new Uint8Array(),
				id,
				...{ batch },
			}),
			isFor: () => true,
		});
		return {
			url,
			sql,
			bus,
			catchUp,
			begun,
			rounds: () => begun.length,
			/** transactions of `size` rows; @returns them, oldest first */
			async insert(count: number, size: number) {
				const txs: bigint[] = [];
				for (let i = 0; i < count; i++) {
					const [one] = await sql<{ tx: string }[]>`
						with all_of_it as (insert into nowboard.events (name) select 'x' from generate_series(1, ${size}) returning tx)
						select tx::text from all_of_it limit 1`;
					txs.push(BigInt(one?.tx ?? 0));
				}
				return txs;
			},
			/** the bus stands at the newest row; @returns a cursor of this epoch */
			async stand() {
				const from = { epoch: '', last: 0n, holes: [] };
				const { head } = await readUnseen(sql, from, [], 1);
				const [newest] = await sql<{ tx: string }[]>`
					select tx::text from nowboard.events order by events.tx desc limit 1`;
				// open transactions of other databases on this server stand in the snapshot too: other tests' are no holes here
				here = {
					...atSnapshot(head.epoch ?? '', head.snapshot, BigInt(newest?.tx ?? 0)),
					holes: [],
				};
				const { epoch } = here;
				return (last: bigint, ...holes: bigint[]): Cursor => ({ epoch, last, holes });
			},
		};
	}
	const sizeOf = (way: Joined | null) =>
		way && way.frames.reduce((sum, one) => sum + (one as never as Told).batch.rows.length, 0);
	type Told = { batch: Batch };

	test('one that is too far back gets a reset, and does not cut what others get from the same read', async () => {
		const { bus, catchUp, rounds, insert, stand } = await useCatchUp();
		const txs = await insert(60, 200);
		await insert(1, 1);
		const at = await stand();
		// the newest 10,000 are the last row, 49 transactions, and a part of the one before
		const [tooFar, oldest] = txs.slice(9, 11) as [bigint, bigint];
		const asked = [at(1n), at(tooFar, 3n), at(tooFar - 1n), at(oldest)];
		const found = await Promise.all(asked.map((cursor) => catchUp(cursor, all)));
		expect([found.map(sizeOf), rounds()]).toEqual([[null, null, null, 9_801], 1]);
		expect(9_801 + 200).toBeGreaterThan(MAX_CATCH_UP);

		// what the ring knows it gives to every client
		bus.publish({ event: 'activity', bytes: new Uint8Array(), id: toId(at(2n)) });
		expect([await catchUp(at(2n), all), rounds()]).toEqual([{ frames: [], position: 1 }, 1]);
	});

	test('one that is before what was deleted gets a reset, and others their rows from the same read', async () => {
		const { sql, catchUp, rounds, insert, stand } = await useCatchUp();
		const [first, second] = (await insert(3, 1)) as [bigint, bigint, bigint];
		await sql`delete from nowboard.events where tx = ${first.toString()}::xid8`;
		const at = await stand();
		const asked = [at(1n), at(2n), at(first), at(second)];
		const found = await Promise.all(asked.map((cursor) => catchUp(cursor, all)));
		expect([found.map(sizeOf), rounds()]).toEqual([[null, null, 2, 1], 1]);
	});

	test('invented ones that arrive while a round runs share the next: 1,000 cost two reads', async () => {
		const { catchUp, rounds, insert, stand } = await useCatchUp();
		await insert(3, 1);
		const at = await stand();
		const first = catchUp(at(1n), all);
		await expect.poll(rounds, { interval: 1 }).toBe(1);
		// each has holes that no read covers
		const invented = Array.from({ length: 1_000 }, (_, i) => at(BigInt(i + 10), BigInt(i + 1)));
		await Promise.all(invented.map((cursor) => catchUp(cursor, all)));
		await first;
		expect(rounds()).toBe(2);
	});

	test('a round is followed by a rest as long as itself: constant callers get half of the time', async () => {
		const { url, catchUp, begun, insert, stand } = await useCatchUp();
		await insert(1, 1);
		const at = await stand();
		const holder = connect(url, { max: 1 });
		onTestFinished(() => holder.end({ timeout: 1 }));
		await holder`begin`;
		await holder`lock table nowboard.events in access exclusive mode`;
		const first = catchUp(at(1n), all);
		await expect.poll(() => begun.length, { interval: 1 }).toBe(1);
		await pause(300);
		const releasedAt = performance.now();
		await holder`commit`;
		await first;
		await catchUp(at(2n, 1n), all);
		const [firstAt = 0, secondAt = 0] = begun;
		// a rest is at most a second; timers are a millisecond early at times
		const restMs = Math.min(releasedAt - firstAt, 1_000) - 5;
		expect(secondAt - releasedAt).toBeGreaterThanOrEqual(restMs);
	});

	test('holes beyond what one statement may hold are not read for: those clients get a reset', async () => {
		const { catchUp, rounds, insert, stand } = await useCatchUp();
		const txs = (await insert(2, 1)) as [bigint, bigint];
		const at = await stand();
		const many = Array.from({ length: 9_999 }, () => 3n);
		const asked = [at(txs[0], ...many), at(txs[0], 1n, 2n)];
		const found = await Promise.all(asked.map((cursor) => catchUp(cursor, all)));
		expect([found.map(sizeOf), rounds()]).toEqual([[1, null], 1]);
	});

	test('a client that the running round serves waits for no round of its own', async () => {
		const { catchUp, rounds, insert, stand } = await useCatchUp();
		const txs = await insert(4, 1);
		const at = await stand();
		const [oldest, second, ...rest] = txs as [bigint, bigint, ...bigint[]];
		const first = catchUp(at(second), all);
		await expect.poll(rounds, { interval: 1 }).toBe(1);
		const others = rest.map((tx) => catchUp(at(tx), all));
		const another = catchUp(at(oldest), all);
		expect((await Promise.all([first, ...others])).map(sizeOf)).toEqual([2, 1, 0]);
		expect(rounds()).toBe(1);
		// one that the round does not reach has its own, and its rows
		expect([sizeOf(await another), rounds()]).toEqual([3, 2]);
	});
});
