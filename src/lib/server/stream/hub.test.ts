import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { follow } from '../../../../tests/setup/follow';
import { readIds, startTestInstance, useDatabase } from '../../../../tests/setup/instances';
import { MAX_EVENTS_PER_FRAME } from '../../protocol';
import { parseCursor } from '../reader/cursor';
import { connect } from '../db/connect';

describe('from INSERT to the stream', () => {
	test('a plain INSERT from another connection is shown, with every column defaulted', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name, properties) values ('deploy', ${sql.json({ version: '1.2' })})`;
		await client.until(() => client.ids.length === 1);
		expect(client.of('activity')[0]?.events[0]).toMatchObject({
			id: 1,
			name: 'deploy',
			source: 'sql',
			sessionId: null,
			properties: { version: '1.2' },
		});
	});

	test('a rolled-back insert is never shown, and a row appears when its transaction commits', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		const [held, undone] = [connect(url, { max: 1 }), connect(url, { max: 1 })];
		await held`begin`;
		await held`insert into nowboard.events (name) values ('held')`;
		await undone`begin`;
		await undone`insert into nowboard.events (name) values ('undone')`;
		await sql`insert into nowboard.events (name) values ('quick')`;
		await client.until(() => client.ids.length === 1);
		await undone`rollback`;
		await held`commit`;
		await client.until(() => client.ids.length === 2);
		await sql`insert into nowboard.events (name) values ('last')`;
		await client.until(() => client.ids.length === 3);
		const names = client.of('activity').flatMap(({ events }) => events.map(({ name }) => name));
		expect(names).toEqual(['quick', 'held', 'last']);
		await Promise.all([held.end(), undone.end()]);
	});

	test('a forged tx is overruled: the row is shown once', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name, tx) values ('future', '9999999999'), ('past', '1')`;
		await sql`insert into nowboard.events (name) values ('after')`;
		await client.until(() => client.ids.length >= 3);
		expect(client.ids.toSorted((a, b) => a - b)).toEqual(await readIds(sql));
	});

	test('a transaction larger than a frame is counted: the newest are shown, the rest is in the figures', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name) select 'bulk' from generate_series(1, 7001)`;
		await client.until(() => client.ids.length >= MAX_EVENTS_PER_FRAME);
		const [frame] = client.of('activity');
		expect([frame?.events.length, frame?.omitted, frame?.totals?.eventsCount]).toEqual([
			MAX_EVENTS_PER_FRAME,
			7001 - MAX_EVENTS_PER_FRAME,
			7001,
		]);
		expect(frame?.events.at(-1)?.id).toBe(7001);
	});

	test('many small transactions at once are cut into frames that omit nothing', async () => {
		const { url, sql } = await useDatabase();
		const client = follow(await startTestInstance(url, { frameIntervalMs: 500 }));
		await client.until(() => client.resets() === 1);
		await sql.unsafe(
			`do $$ begin for i in 1..4500 loop insert into nowboard.events (name) values ('one'); commit; end loop; end $$`,
		);
		await client.until(() => client.ids.length >= 4_500);
		expect(client.ids.toSorted((a, b) => a - b)).toEqual(await readIds(sql));
		expect([client.omitted(), client.resets()]).toEqual([0, 1]);
	});
});

describe('when something breaks', () => {
	test('the listener killed by the database loses nothing, also what is committed meanwhile', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		for (let round = 0; round < 3; round++) {
			await sql`select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`;
			await sql`insert into nowboard.events (name) values ('in the gap')`;
			await client.until(() => client.ids.length === round + 1);
			await expect.poll(() => instance.status().listener, { timeout: 60_000 }).toBe('up');
		}
		expect(client.ids).toEqual([1, 2, 3]);
		expect(client.resets()).toBe(1);
	});

	test('every connection killed: the stream goes on by itself', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		await sql`select pg_terminate_backend(pid) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid()`;
		await sql`insert into nowboard.events (name) values ('after')`;
		await client.until(() => client.ids.length === 1);
		expect([client.ids, client.resets()]).toEqual([[1], 1]);
	});

	test('TRUNCATE begins a new account: everyone is reset, old cursors too', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		await sql`insert into nowboard.events (name) values ('old')`;
		await client.until(() => client.ids.length === 1);
		const before = client.cursor();
		await sql`truncate nowboard.events`;
		await client.until(() => client.resets() === 2);
		expect(client.of('reset')[1]).toMatchObject({ events: [], totals: { eventsCount: 0 } });
		const old = follow(instance, before);
		await old.until(() => old.resets() === 1);
	});

	test('a copy of the database elsewhere renews the epoch', async () => {
		const { url, sql } = await useDatabase();
		const cursor = (await startTestInstance(url)).state().cursor;
		// what a restored dump carries: the epoch, and the identity of the database it was made from
		await sql`update nowboard.meta set value = '1/00000001/1' where key = 'identity'`;
		const client = follow(await startTestInstance(url), cursor);
		await client.until(() => client.resets() === 1);
		expect(client.cursor()?.split('-')[0]).not.toBe(cursor.split('-')[0]);
	});

	test('rows from the future of a restored dump are repaired before the start, and shown in the feed', async () => {
		const { url, sql } = await useDatabase();
		await sql`insert into nowboard.events (name) values ('restored')`;
		await sql`update nowboard.events set tx = '99999999999'`;
		const client = follow(await startTestInstance(url));
		await client.until(() => client.resets() === 1);
		expect(client.of('reset')[0]?.events.map(({ name }) => name)).toEqual(['restored']);
		await sql`insert into nowboard.events (name) values ('new')`;
		await client.until(() => client.ids.length === 1);
		expect(await sql`select tx::text from nowboard.events where name = 'restored'`).toEqual([
			{ tx: '0' },
		]);
	});

	test('a client that leaves is forgotten', async () => {
		const { url } = await useDatabase();
		const instance = await startTestInstance(url);
		const clients = [follow(instance), follow(instance)];
		await Promise.all(clients.map((client) => client.until(() => client.resets() === 1)));
		expect(instance.counts().clients).toBe(2);
		await Promise.all(clients.map((client) => client.leave()));
		expect(instance.counts().clients).toBe(0);
	});

	test('dismissed clients get a farewell and a clean end', async () => {
		const { url } = await useDatabase();
		const instance = await startTestInstance(url);
		const client = follow(instance);
		await client.until(() => client.resets() === 1);
		instance.dismiss();
		await client.until(() => client.ended());
		expect(client.events.at(-1)?.name).toBe('bye');
		expect(instance.missing()).toEqual(['shutting down']);
	});
});

test('figures reconcile: SQL over the rows seen by a tick gives the tick, on the instance that recorded it and on others', async () => {
	const { url, sql } = await useDatabase();
	const [one, two] = [await startTestInstance(url), await startTestInstance(url)];
	const [client, other] = [follow(one), follow(two)];
	await sql`
		insert into nowboard.events (name, session_id, created_at)
		select case when i % 3 = 0 then 'page_view' else 'other' end, 's' || i % 17,
			date_trunc('milliseconds', clock_timestamp()) - (i || ' seconds')::interval
		from generate_series(1, 2400) i`;
	const writing = setInterval(
		() =>
			void sql`insert into nowboard.events (name, session_id) values ('page_view', ${crypto.randomUUID()})`,
		15,
	);
	await client.until(() => client.of('metrics').length >= 3, 100_000);
	clearInterval(writing);
	const ticks = await sql<{ cursor: string; recorded_at: Date; shown: number[] }[]>`
		select cursor, recorded_at, array[page_views, active_sessions, events_count, events_per_minute]::text[] as shown
		from nowboard.metrics_snapshots order by tick`;
	expect(ticks.length).toBeGreaterThanOrEqual(3);
	for (const { cursor, recorded_at, shown } of ticks) {
		const parsed = parseCursor(cursor);
		if (!parsed.ok) throw new Error(parsed.reason);
		const { last, holes } = parsed.cursor;
		const [counted] = await sql<{ figures: string[] }[]>`
			with seen as (
				select name, session_id, ${recorded_at}::timestamptz - created_at as age from nowboard.events
				where tx <= ${last.toString()}::xid8 and tx <> all(${`{${holes.join(',')}}`}::xid8[])
			)
			select array[
				count(*) filter (where name = 'page_view' and age < '30 min'),
				count(distinct session_id) filter (where age < '5 min'),
				count(*) filter (where age < '30 min'),
				count(*) filter (where age < '1 min')]::text[] as figures
			from seen where age >= '0'`;
		expect(counted?.figures).toEqual(shown);
	}
	// both instances show the row that stands in the table
	const told = (of: typeof client) =>
		of.of('metrics').map(({ recordedAt, eventsCount }) => `${recordedAt} ${eventsCount}`);
	await expect
		.poll(() => told(other).some((tick) => told(client).includes(tick)), { timeout: 60_000 })
		.toBe(true);
});

test('a database that takes no connections is noticed within seconds by those who watch, and found again', async () => {
	const { url, sql } = await useDatabase();
	const instance = await startTestInstance(url);
	const client = follow(instance);
	await client.until(() => client.resets() === 1);
	const { admin, name } = connectBeside(url);
	await admin`alter database ${admin(name)} allow_connections false`;
	await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
	await client.until(() => client.of('ping').at(-1)?.database === 'down', 100_000);
	await client.until(() => client.of('ping').at(-1)?.listener === 'deaf', 100_000);
	await admin`alter database ${admin(name)} allow_connections true`;
	await sql`insert into nowboard.events (name) values ('after')`;
	await client.until(() => client.ids.length === 1);
	await client.until(() => client.of('ping').at(-1)?.database === 'up');
	await client.until(() => client.of('ping').at(-1)?.listener === 'up');
	expect([client.ids, client.resets()]).toEqual([[1], 1]);
	await admin.end();
}, 300_000);

/** A connection to the server of a database, but not to it. */
function connectBeside(url: string) {
	const beside = new URL(url);
	const name = beside.pathname.slice(1);
	beside.pathname = '/postgres';
	return { admin: connect(beside.href, { max: 1 }), name };
}

test('an open stream keeps nothing of the request that it was asked for in; one begun inside would', async () => {
	const { url } = await useDatabase();
	const instance = await startTestInstance(url);
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	const requests = new AsyncLocalStorage<object>();
	/** opens a stream as SvelteKit has it done: in the context of a request */
	const openIn = (open: () => ReadableStream<Uint8Array>) => {
		const request = { made: new Array(1_000).fill('for it') };
		return { body: requests.run(request, open), request: new WeakRef(request) };
	};
	const ours = openIn(() => instance.open(null));
	let timer: ReturnType<typeof setInterval> | undefined;
	const naive = openIn(
		() => new ReadableStream({ start: () => void (timer = setInterval(() => {}, 60_000)) }),
	);
	const readers = [ours, naive].map(({ body }) => body.getReader());
	await readers[0]?.read();
	const isForgotten = () => {
		collectGarbage();
		return [ours, naive].map(({ request }) => request.deref() === undefined);
	};
	await expect.poll(isForgotten).toEqual([true, false]);
	clearInterval(timer);
	await Promise.all(readers.map((reader) => reader.cancel()));
});
