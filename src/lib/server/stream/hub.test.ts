import type { ViewSpec } from '../live/views';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { follow } from '../../../../tests/setup/follow';
import { startTestInstance, useDatabase } from '../../../../tests/setup/instances';
import { MAX_EVENTS_PER_FRAME } from '../../protocol';
import { countValues, readCounts, toRangeTable } from '../history/range-tables';
import { parseCursor, toId } from '../reader/cursor';
import { connect, type Sql } from '../db/connect';

const HOUR_MS = 3_600_000;
const idsInTable = async (sql: Sql) =>
	(await sql<{ id: string }[]>`select id from nowboard.events order by id`).map(({ id }) =>
		Number(id),
	);
const sorted = (ids: number[]) => [...ids].sort((a, b) => a - b);

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
		expect(sorted(client.ids)).toEqual(await idsInTable(sql));
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
		expect(sorted(client.ids)).toEqual(await idsInTable(sql));
		expect([client.omitted(), client.resets()]).toEqual([0, 1]);
	});
});

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
		const missing = (await idsInTable(sql)).length - ids.length;
		await rest.until(() => rest.ids.length >= missing);
		expect(sorted([...ids, ...rest.ids])).toEqual(await idsInTable(sql));
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

test('a page in several spellings is one row, as it arrives, after a restart, in history and filtered', async () => {
	const { url, sql } = await useDatabase();
	const watching = await startTestInstance(url);
	const client = follow(watching);
	await client.until(() => client.resets() === 1);
	const long = encodeURIComponent('как-настроить-сервер-'.repeat(20));
	const sent = [
		...[{ path: '/%C3%BCber' }, { path: '/%c3%bcber/' }, { path: '/über/index.html' }],
		...[{ path: '/a/', slash: true }, { path: '/a' }],
		...[{ path: `/${long}a` }, { path: `/${long}b` }],
	];
	await sql`insert into nowboard.events (name, properties)
		select 'page_view', value from jsonb_array_elements(${sql.json(sent)})`;
	await client.until(() => client.ids.length === sent.length);
	const restarted = await startTestInstance(url);
	const pages = [watching, restarted].map((instance) => instance.state().tables.path);
	expect(pages[1]).toEqual(pages[0]);
	const counts = pages[0]?.rows.map(({ key, count }) => [count, key.slice(0, 30)]);
	const start = `/${'как-настроить-сервер-'.repeat(2)}`.slice(0, 30);
	expect(counts).toEqual([
		[3, '/über'],
		[1, '/a'],
		[1, '/a/'],
		[1, start],
		[1, start],
	]);

	// rows stay as inserted: history and filters read them by the same rule as the live view
	const now = Date.now();
	const bounds = [now - 3 * HOUR_MS, now - 2 * HOUR_MS, now - HOUR_MS, now + HOUR_MS] as const;
	const history = toRangeTable(await countValues(sql, { filter: [] }, 'path', bounds));
	expect(history.rows.map(({ key, count }) => [key, count])).toEqual(
		pages[0]?.rows.map(({ key, count }) => [key, count]),
	);
	const filter: ViewSpec['filter'] = [
		{ dimension: 'path', operator: ':', value: '/über', negated: false },
	];
	const view: ViewSpec = { filter, by: ['path'] };
	await restarted.ready(view);
	expect(restarted.state(view).totals.pageViews).toBe(3);
	const [inRange] = await readCounts(sql, { filter }, [now - HOUR_MS, now + HOUR_MS]);
	expect(inRange).toEqual({ events: 3, pageViews: 3 });
	// (control) SQL that compares the texts finds none
	expect(await sql`select from nowboard.events where properties ->> 'path' = '/über'`).toEqual([]);
});

describe('a filtered view', () => {
	const viewOf = (source: string): ViewSpec => ({
		filter: [{ dimension: 'source', operator: ':', value: source, negated: false }],
		by: ['path', 'referrer', 'source'],
	});
	const insert = (sql: Sql, source: string, path: string) =>
		sql`insert into nowboard.events (name, source, session_id, properties)
			values ('page_view', ${source}, ${source}, ${sql.json({ path, referrer: 'https://www.x.test/a' })})`;

	test('gets its own events and figures only, live and on joining', async () => {
		const { url, sql } = await useDatabase();
		await insert(sql, 'web', '/before');
		await insert(sql, 'app', '/other');
		const instance = await startTestInstance(url);
		const web = follow({ open: (cursor) => instance.open(cursor, { view: viewOf('web') }) });
		await web.until(() => web.resets() === 1);
		expect(web.of('reset')[0]).toMatchObject({
			filter: ['source:web'],
			totals: { pageViews: 1, activeSessions: 1, eventsCount: 1 },
			tables: {
				path: { rows: [{ key: '/before', count: 1 }], other: 0 },
				referrer: { rows: [{ key: 'x.test', count: 1 }] },
				source: { rows: [{ key: 'web', count: 1 }] },
			},
			events: [{ source: 'web' }],
		});
		await insert(sql, 'app', '/other');
		await insert(sql, 'web', '/after');
		await web.until(() => web.ids.length === 1);
		expect(web.of('activity').at(-1)).toMatchObject({
			events: [{ source: 'web', properties: { path: '/after' } }],
			totals: { eventsCount: 2 },
		});
		await web.until(() => web.of('metrics').at(-1)?.figures.totals.eventsCount === 2);
		expect(web.of('metrics').at(-1)?.eventsCount).toBe(2);
	});

	test('that is asked for again outlives those that were asked for after it', async () => {
		const { url, sql } = await useDatabase();
		await insert(sql, 'web', '/1');
		const instance = await startTestInstance(url);
		await expect.poll(() => instance.state().totals.eventsCount).toBe(1);
		const [again, once] = [viewOf('web'), viewOf('once')];
		await instance.ready(again);
		await instance.ready(once);
		// more than are kept without a client
		for (let i = 0; i < 40; i++) {
			await instance.ready(viewOf(`other ${i}`));
			await instance.ready(again);
		}
		await expect.poll(() => instance.knows(once)).toBe(false);
		expect(instance.state(again).totals.eventsCount).toBe(1);
	});

	test('is never shown the figures of everything when it joins from the page’s cursor', async () => {
		const { url, sql } = await useDatabase();
		await insert(sql, 'web', '/1');
		await insert(sql, 'web', '/2');
		await insert(sql, 'shop', '/3');
		const instance = await startTestInstance(url);
		await expect.poll(() => instance.state().totals.eventsCount).toBe(3);
		await instance.ready(viewOf('shop'));
		const { cursor, totals } = instance.state(viewOf('shop'));
		expect(totals.eventsCount).toBe(1);
		const shop = follow(
			{ open: (cursor) => instance.open(cursor, { view: viewOf('shop') }) },
			cursor,
		);
		await shop.until(() => shop.of('metrics').length >= 1 || shop.of('ping').length >= 2, 100_000);
		await insert(sql, 'shop', '/4');
		await shop.until(() => shop.of('metrics').length >= 1 && shop.ids.length === 1, 100_000);
		const shown = [
			...shop.of('metrics').map(({ figures }) => figures.totals.eventsCount),
			...shop.of('activity').map(({ totals }) => totals?.eventsCount ?? 0),
		];
		expect(Math.max(...shown)).toBe(2);
	});

	test('resumes by cursor, also over frames that were not encoded for it', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const open = (cursor: string | null) => instance.open(cursor, { view: viewOf('web') });
		const [first, stays] = [follow({ open }), follow({ open })];
		for (const client of [first, stays]) await client.until(() => client.resets() === 1);
		await insert(sql, 'web', '/1');
		await first.until(() => first.ids.length === 1);
		await first.leave();
		await insert(sql, 'web', '/2');
		await stays.until(() => stays.ids.length === 2);
		const resumed = follow({ open }, first.cursor());
		await resumed.until(() => resumed.ids.length === 1);
		expect([resumed.ids, resumed.resets()]).toEqual([[2], 0]);
		await Promise.all([stays.leave(), resumed.leave()]);
		// the view was not watched while this was published
		await insert(sql, 'web', '/3');
		await expect.poll(() => instance.state().totals.eventsCount).toBe(3);
		const late = follow({ open }, resumed.cursor());
		await insert(sql, 'web', '/4');
		await late.until(() => late.ids.length === 2);
		expect([late.ids, late.resets()]).toEqual([[3, 4], 0]);
	});

	test('comes back by a shared read, with frames behind it that were not encoded for it', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const open = (cursor: string | null) => instance.open(cursor, { view: viewOf('web') });
		const publish = async (n: number) => {
			await insert(sql, 'web', `/${n}`);
			await expect.poll(() => instance.state().totals.eventsCount).toBe(n);
		};
		const first = follow({ open });
		await first.until(() => first.resets() === 1);
		await publish(1);
		await first.until(() => first.ids.length === 1);
		await first.leave();
		await publish(2);
		// this one makes what was missed be read, and kept
		const second = follow({ open }, first.cursor());
		await second.until(() => second.ids.length === 1);
		await second.leave();
		await publish(3);
		const third = follow({ open }, first.cursor());
		await third.until(() => third.ended() || third.ids.length === 2);
		expect([third.ids, third.resets(), third.ended()]).toEqual([[2, 3], 0, false]);
	});

	test('shows nothing until its first event, and that at once', async () => {
		const { url, sql } = await useDatabase();
		const instance = await startTestInstance(url);
		const clients = [...Array(50).keys()].map((i) =>
			follow({ open: (cursor) => instance.open(cursor, { view: viewOf(`typed ${i}`) }) }),
		);
		for (const client of clients) await client.until(() => client.resets() === 1);
		await insert(sql, 'web', '/1');
		for (const client of clients)
			await client.until(
				() => client.of('activity').length === 1 && client.of('metrics').length > 0,
			);
		// nothing in the view has changed but the time
		expect(clients[0]?.of('activity')[0]).toEqual({
			...{ events: [], omitted: 0, at: expect.any(String) as string },
		});
		expect(clients[0]?.of('metrics')[0]).toMatchObject({ eventsCount: 0, previous: null });
		await insert(sql, 'typed 7', '/first');
		for (const client of clients) await client.until(() => client.of('activity').length === 2);
		expect(clients.filter(({ ids }) => ids.length > 0)).toEqual([clients[7]]);
		expect(clients[7]?.of('activity')[1]).toMatchObject({
			...{ events: [{ source: 'typed 7' }], totals: { eventsCount: 1, activeSessions: 1 } },
		});
		expect(clients.map((client) => [client.resets(), client.ended()])).toEqual(
			clients.map(() => [1, false]),
		);
	});
});

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
