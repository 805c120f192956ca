import { get } from 'svelte/store';
import { expect, test, vi } from 'vitest';
import { CLOCK_REFRESH_MS, ROUND_TRIPS } from './clock';
import { MAX_SAMPLE_MS, createDashboard, type Dashboard, type DashboardOptions } from './dashboard';
import { createFakeBrowser } from './testing/fake-browser';
import { START, toEvent, toFigures, toMetrics, toState, toTick, toTime } from './testing/fixtures';
import { LINGER_MS } from './event-stream';

/** The database is two seconds ahead of this browser. */
const AHEAD_MS = 2_000;

function toPage(options: Partial<DashboardOptions> = {}) {
	const browser = createFakeBrowser();
	const paints: (() => void)[] = [];
	const status = vi.fn(async () =>
		Response.json({
			now: new Date(browser.now() + AHEAD_MS).toISOString(),
			database: 'up',
			listener: 'up',
			reading: null,
			writing: null,
		}),
	);
	const dashboard = createDashboard(toState({ cursor: 'e-0' }), {
		environment: browser,
		fetch: status,
		afterPaint: (run) => paints.push(run),
		...options,
	});
	const updates: Dashboard[] = [];
	const subscribe = () => dashboard.state.subscribe((state) => updates.push(state));
	const last = () => updates.at(-1) as Dashboard;
	/** An event inserted `agoMs` before now, in a frame of its own. */
	const arrive = (id: number, agoMs: number) => {
		const ms = browser.now() + AHEAD_MS - agoMs - START;
		const frame = { events: [toEvent(id, ms)], omitted: 0, ...toFigures(ms, id) };
		browser.source().send('activity', frame, `e-${id}`);
	};
	const paint = () => paints.splice(0).forEach((run) => run());
	/** Subscribed, connected, and the clocks compared. */
	const live = async () => {
		subscribe();
		browser.source().open();
		await vi.waitFor(() => expect(last().clockOffsetMs).toBe(AHEAD_MS));
		browser.pass(100);
	};
	return { browser, dashboard, updates, last, subscribe, arrive, paint, live, status };
}

test('it goes on from what the page was rendered from, one update for each frame', () => {
	const { browser, updates, subscribe, last } = toPage();
	subscribe();
	expect(browser.source().url).toBe(
		'/api/dashboard/stream?cursor=e-0&by=path%2Creferrer%2Cname%2Ccountry',
	);
	const events = Array.from({ length: 1_000 }, (_, i) => toEvent(i + 1, 10));
	browser.source().send('activity', { events, omitted: 5, ...toFigures(10, 1_005) }, 'e-9');
	browser.source().send('metrics', toMetrics(2_000, 7, { previous: toTick(-1) }));
	browser.source().send('ping', {
		now: toTime(2_500),
		database: 'down',
		listener: 'deaf',
		reading: null,
		writing: null,
	});
	browser.source().send('reset', toState({ cursor: 'f-1' }), 'f-1');
	expect(
		updates.map(({ cursor, totals, omitted, database, resets }) => [
			cursor,
			totals.eventsCount,
			omitted,
			database,
			resets,
		]),
	).toEqual([
		['e-0', 0, 0, 'up', 0],
		['e-9', 1_005, 5, 'up', 0],
		['e-9', 7, 5, 'up', 0],
		['e-9', 7, 5, 'down', 0],
		['f-1', 0, 0, 'down', 1],
	]);
	expect(last().listener).toBe('deaf');
});

test('what the server said of itself with the page counts until the first ping', () => {
	const { browser, subscribe, last } = toPage({
		status: { now: toTime(0), database: 'down', listener: 'deaf', reading: null, writing: null },
	});
	subscribe();
	browser.source().send('metrics', { ...toTick(2_000, 7), previous: null });
	expect([last().database, last().listener]).toEqual(['down', 'deaf']);
	browser.source().send('ping', {
		now: toTime(2_500),
		database: 'up',
		listener: 'up',
		reading: null,
		writing: null,
	});
	expect([last().database, last().listener]).toEqual(['up', 'up']);
});

test('state and connection share one stream, which ends after both were left', () => {
	const { browser, dashboard } = toPage();
	const leave = [dashboard.state.subscribe(() => {}), dashboard.connection.subscribe(() => {})];
	expect(browser.sources).toHaveLength(1);
	leave.forEach((one) => one());
	browser.pass(LINGER_MS);
	expect([browser.openCount(), browser.timerCount()]).toEqual([0, 0]);
});

test('on the server it is what the page is rendered from, and makes no request', () => {
	const fetch = vi.fn();
	const { dashboard } = toPage({ environment: null, fetch });
	expect(get(dashboard.state)).toMatchObject({ ...toState({ cursor: 'e-0' }), delayMs: null });
	expect(get(dashboard.connection).status).toBe('connecting');
	expect(fetch).not.toHaveBeenCalled();
});

test('a ping gives a first idea of the clock, round trips a better one, again after a while', async () => {
	const { browser, subscribe, last, live, status } = toPage();
	subscribe();
	browser.source().send('ping', {
		now: toTime(1_700),
		database: 'up',
		listener: 'up',
		reading: null,
		writing: null,
	});
	expect(last().clockOffsetMs).toBe(1_700);
	await live();
	expect(status).toHaveBeenCalledTimes(ROUND_TRIPS);
	browser
		.source()
		.send('ping', { now: toTime(0), database: 'up', listener: 'up', reading: null, writing: null });
	expect(last().clockOffsetMs).toBe(AHEAD_MS);
	for (let ms = 0; ms < CLOCK_REFRESH_MS; ms += 10_000) {
		browser.pass(10_000);
		browser.source().send('ping', {
			now: toTime(0),
			database: 'up',
			listener: 'up',
			reading: null,
			writing: null,
		});
	}
	await vi.waitFor(() => expect(status).toHaveBeenCalledTimes(2 * ROUND_TRIPS));
});

test('the delay runs from insert to paint, on one clock', async () => {
	const { browser, arrive, paint, live, last } = toPage();
	await live();
	arrive(1, 8);
	browser.pass(6);
	expect(last().delayMs).toBe(null);
	paint();
	expect(last().delayMs).toBe(14);
	browser.pass(60_000);
	browser.source().send('ping', {
		now: toTime(60_000),
		database: 'up',
		listener: 'up',
		reading: null,
		writing: null,
	});
	expect(last().delayMs).toBe(null);
});

test('nothing is measured with clocks that were not compared, in a hidden tab, or of what was caught up with', async () => {
	const { browser, subscribe, arrive, paint, live, last } = toPage();
	subscribe();
	arrive(1, 0);
	paint();
	await live();
	arrive(2, 5_000);
	paint();
	browser.hide();
	arrive(3, 1);
	browser.show();
	paint();
	arrive(4, 1);
	browser.hide();
	paint();
	expect(last()).toMatchObject({ delayMs: null, totals: { eventsCount: 4 } });
});

test('at a high rate a paint adds no update to those of the frames, but one a second', async () => {
	const { browser, arrive, paint, live, updates, last } = toPage();
	await live();
	arrive(1, 10);
	paint();
	const before = updates.length;
	for (let id = 2; id <= 9; id++) {
		browser.pass(100);
		arrive(id, 10);
		paint();
	}
	expect(updates.length - before).toBe(8);
	browser.pass(1_000);
	expect(last().delayMs).toBe(10);
});

test('after an outage the clocks are compared again', async () => {
	const { browser, live, status } = toPage();
	await live();
	browser.source().fail();
	await vi.waitFor(() => expect(status).toHaveBeenCalledTimes(ROUND_TRIPS + 1));
	browser.pass(1_000);
	browser.source().open();
	await vi.waitFor(() => expect(status).toHaveBeenCalledTimes(2 * ROUND_TRIPS + 1));
});

test('an event stamped long ago by its sender is not a delay', async () => {
	const { browser, arrive, paint, live, last } = toPage();
	await live();
	for (let ms = 0; ms < 3 * MAX_SAMPLE_MS; ms += 10_000) {
		browser.pass(10_000);
		browser.source().send('ping', {
			now: toTime(ms),
			database: 'up',
			listener: 'up',
			reading: null,
			writing: null,
		});
	}
	arrive(1, MAX_SAMPLE_MS + 1);
	paint();
	expect(last().delayMs).toBe(null);
	arrive(2, MAX_SAMPLE_MS);
	paint();
	expect(last().delayMs).toBe(MAX_SAMPLE_MS);
});

test('nothing is left running after the page was left', async () => {
	const { browser, dashboard } = toPage();
	const offsets: number[] = [];
	const leave = dashboard.state.subscribe(({ clockOffsetMs }) => offsets.push(clockOffsetMs));
	browser.source().open();
	await vi.waitFor(() => expect(offsets.at(-1)).toBe(AHEAD_MS));
	leave();
	browser.pass(LINGER_MS);
	expect([browser.openCount(), browser.timerCount()]).toEqual([0, 0]);
});
