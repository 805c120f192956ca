/** What the page shows and keeps when the server, the network, the tab or the whole machine goes away for a while. */
import type { Page } from '@playwright/test';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { chart, eventNames, feed, figure, openLive, post, status } from './board';
import { startProxy, type Proxy } from './proxy';
import { expect, test as base, type AppServer } from './server';

// Playwright switches the back-forward cache off, and those who look have it on
base.use({
	launchOptions: {
		...chromiumLaunchOptions(),
		ignoreDefaultArgs: ['--disable-back-forward-cache'],
	},
});

const test = base.extend<{ network: Proxy }>({
	network: async ({ server }, use) => {
		const network = await startProxy(server.url);
		await use(network);
		await network.close();
	},
});

const write = (server: AppServer, ...names: string[]) =>
	server.sql`insert into nowboard.events ${server.sql(names.map((name) => ({ name })))}`;

/** The page says that it rests, in each of its places. */
async function expectStale(page: Page) {
	await expect(page.locator('.readout.stale')).toHaveCount(4);
	await expect(chart(page)).toHaveClass(/away/);
	await expect(page).toHaveTitle('Nowboard (waiting)');
	for (const time of await feed(page).locator('time').all())
		await expect(time).toHaveText(/^\d\d:\d\d:\d\d/);
}

async function expectLive(page: Page) {
	await expect(status(page)).toHaveText('Live');
	await expect(page.locator('.readout.stale')).toHaveCount(0);
	await expect(chart(page)).not.toHaveClass(/away/);
	await expect(page).toHaveTitle('Nowboard');
}

/** Headless pages are always visible: this one says what it is told. */
async function addVisibility(page: Page, hidden = false) {
	await page.addInitScript((hidden) => {
		Object.assign(window, { tabHidden: hidden });
		const isHidden = () => (window as unknown as { tabHidden: boolean }).tabHidden;
		Object.defineProperty(document, 'hidden', { get: isHidden });
		Object.defineProperty(document, 'visibilityState', {
			get: () => (isHidden() ? 'hidden' : 'visible'),
		});
	}, hidden);
}
async function setHidden(page: Page, hidden: boolean) {
	await page.evaluate((hidden) => {
		Object.assign(window, { tabHidden: hidden });
		document.dispatchEvent(new Event('visibilitychange'));
	}, hidden);
}

test.describe('without a server', () => {
	test.use({ ownServer: true });

	test('the server is gone: figures rest, the needle lifts, the last known time stands', async ({
		page,
		server,
	}) => {
		await post(server, { name: 'before' });
		await openLive(page);
		await expectLive(page);
		const colour = () =>
			page
				.locator('.readout .figure')
				.first()
				.evaluate((figure) => getComputedStyle(figure).color);
		const needle = () =>
			page.locator('.chart .needle').evaluate((needle) => getComputedStyle(needle).borderLeftStyle);
		const live = await colour();
		expect(await needle()).toBe('solid');

		await server.kill('SIGKILL');
		await expectStale(page);
		expect(await needle()).toBe('dashed');
		await expect.poll(colour).not.toBe(live);
		const known = chart(page).locator('.now.axis-label');
		await expect(known).toHaveText(/^\d\d:\d\d:\d\d/);
		const time = await known.textContent();
		// a minute later it is still the same time, and a sentence says so
		await expect(page.getByText(/The stream was cut\. The figures are as of \d\d:/)).toBeVisible();
		expect(await known.textContent()).toBe(time);
		await expect(chart(page).locator('figcaption')).toContainText(/ at \d\d:\d\d:\d\d/);
	});
});

test('a connection that is half open: stale within 5 s of the watchdog, and back with everything', async ({
	page,
	server,
	network,
}) => {
	await page.clock.install();
	await openLive(page, network.url);
	await write(server, 'before');
	await expect(feed(page)).toContainText('before');
	network.freeze();
	await write(server, 'meanwhile 1', 'meanwhile 2');
	// until the watchdog knows, nothing tells this from a quiet product
	await page.clock.fastForward('00:40');
	await page.clock.fastForward('00:05');
	await expect(page.locator('.readout.stale')).toHaveCount(4, { timeout: 5_000 });
	await expectStale(page);
	expect(await eventNames(page)).toEqual(['before']);
	network.thaw();
	await page.clock.fastForward('00:31');
	await expectLive(page);
	await write(server, 'after');
	await expect(feed(page)).toContainText('after');
	expect(await eventNames(page)).toEqual(['after', 'meanwhile 2', 'meanwhile 1', 'before']);
	await expect(figure(page, 'Events')).toHaveText('4');
});

test('a tab hidden for 30 s gives its stream back, and goes on where it was when it is shown', async ({
	page,
	server,
	network,
}) => {
	await page.clock.install();
	await addVisibility(page);
	await openLive(page, network.url);
	await write(server, 'before');
	await expect(feed(page)).toContainText('before');
	await setHidden(page, true);
	await page.clock.fastForward('00:25');
	expect(network.openStreams()).toBe(1);
	await page.clock.fastForward('00:06');
	await expect.poll(() => network.openStreams()).toBe(0);
	await write(server, 'meanwhile 1', 'meanwhile 2');
	await page.clock.fastForward('02:00:00');
	expect(network.streams()).toHaveLength(1);

	await setHidden(page, false);
	await expectLive(page);
	await write(server, 'after');
	await expect(feed(page)).toContainText('after');
	expect(await eventNames(page)).toEqual(['after', 'meanwhile 2', 'meanwhile 1', 'before']);
	expect(network.streams()).toHaveLength(2);
	expect(network.streams()[1]).toMatch(/[?&]cursor=/);
	expect(network.received()).toContain('event: activity');
	expect(network.received(), 'it resumed').not.toContain('event: reset');
});

test('a tab shown again within 30 s has kept its stream', async ({ page, server, network }) => {
	await page.clock.install();
	await addVisibility(page);
	await openLive(page, network.url);
	await setHidden(page, true);
	await page.clock.fastForward('00:25');
	await setHidden(page, false);
	await page.clock.fastForward('00:25');
	await write(server, 'after');
	await expect(feed(page)).toContainText('after');
	expect(network.streams()).toHaveLength(1);
});

test('the machine sleeps: after waking, what happened meanwhile is there, once', async ({
	page,
	server,
	network,
}) => {
	await page.clock.install();
	await openLive(page, network.url);
	await write(server, 'before');
	await expect(feed(page)).toContainText('before');
	// the network is gone with the machine, and no one closed anything
	network.freeze();
	await write(server, 'meanwhile 1', 'meanwhile 2');
	await page.clock.fastForward('07:00:00');
	network.thaw();
	await expectLive(page);
	await write(server, 'after');
	await expect(feed(page)).toContainText('after');
	expect(await eventNames(page)).toEqual(['after', 'meanwhile 2', 'meanwhile 1', 'before']);
});

test('away and back through the back-forward cache: the stream is back, and nothing is missed', async ({
	page,
	server,
	network,
}) => {
	await page.addInitScript(() =>
		addEventListener('pageshow', ({ persisted }) => persisted && console.log('restored')),
	);
	await openLive(page, network.url);
	await write(server, 'before');
	await expect(feed(page)).toContainText('before');
	const restored = page.waitForEvent('console', (message) => message.text() === 'restored');
	await page.goto('/healthz');
	await expect.poll(() => network.openStreams()).toBe(0);
	await write(server, 'meanwhile');
	await page.evaluate(() => history.back());
	await restored;
	await expectLive(page);
	await write(server, 'after');
	await expect(feed(page)).toContainText('after');
	expect(await eventNames(page)).toEqual(['after', 'meanwhile', 'before']);
	expect(network.streams()).toHaveLength(2);
});

test('eight tabs share the six connections of HTTP/1.1: the visible one is live at once and misses nothing', async ({
	context,
	page,
	server,
	network,
}) => {
	test.slow();
	await addVisibility(page);
	await openLive(page, network.url);
	const others = await Promise.all(Array.from({ length: 7 }, () => context.newPage()));
	for (const tab of others) await addVisibility(tab, true);
	await Promise.all(others.map((tab) => tab.goto(network.url)));
	const expected = ['while seven are hidden'];
	await write(server, ...expected);
	await expect(feed(page)).toContainText(expected[0]!);
	expect(network.openStreams()).toBe(1);

	// through all of them, faster than a hidden tab's patience, and back to the first
	let shown = page;
	for (const [i, tab] of [...others, page].entries()) {
		expected.unshift(`before look ${i}`);
		await write(server, expected[0]!);
		await setHidden(shown, true);
		await setHidden(tab, false);
		shown = tab;
		await expect(feed(tab)).toContainText(expected[0]!);
		await expect(status(tab)).toHaveText('Live');
		const names = await eventNames(tab);
		expect(names).toEqual(expected.slice(0, names.length));
		// beside the streams, one connection stays for what the pages load
		expect(network.openStreams()).toBeLessThan(6);
	}
	await write(server, 'after');
	await expect(feed(page)).toContainText('after');
});
