/** The stream of a view with a filter: live, on joining, on coming back, and in history. */
import { describe, expect, test } from 'vitest';
import { follow } from '../../../../tests/setup/follow';
import { startTestInstance, useDatabase } from '../../../../tests/setup/instances';
import type { Sql } from '../db/connect';
import { countValues, readCounts, toRangeTable } from '../history/range-tables';
import type { ViewSpec } from '../live/views';

const HOUR_MS = 3_600_000;

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
