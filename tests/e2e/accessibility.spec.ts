/** The page for everyone: axe, keyboard, less motion, narrow screens, other zones and languages. */
import type { Page } from '@playwright/test';
import { findProblems } from './axe';
import { drawChart, feed, figure, openLive, post, status } from './board';
import { expect, test, type AppServer } from './server';

const EVENTS = [
	{ name: 'page_view', sessionId: 'a', properties: { path: '/pricing', title: 'Pricing' } },
	{ name: 'page_view', sessionId: 'b', properties: { path: '/docs', referrer: 'https://a.test' } },
	{
		name: 'signup',
		sessionId: 'b',
		properties: { plan: 'pro', 'a very long key': 'x'.repeat(99) },
	},
];

async function openWithEvents(page: Page, server: AppServer) {
	await openLive(page);
	await post(server, EVENTS);
	await expect(feed(page)).toContainText('signup');
	await drawChart(page);
}

const isWiderThanScreen = (page: Page) =>
	page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

test.describe('light and dark', () => {
	test.use({ ownServer: true });

	test('axe finds nothing: empty, with events and a row opened, a definition, the server away', async ({
		page,
		server,
	}) => {
		test.slow();
		const found: Record<string, string[]> = {};
		const look = async (state: string) => {
			for (const colorScheme of ['light', 'dark'] as const) {
				await page.emulateMedia({ colorScheme });
				await expect(page.locator('html')).toHaveClass(new RegExp(`\\b${colorScheme}\\b`));
				found[`${state}, ${colorScheme}`] = await findProblems(page);
			}
		};
		await openLive(page);
		await look('empty');
		await post(server, EVENTS);
		await expect(feed(page)).toContainText('signup');
		await drawChart(page);
		// a click on a row that is just sliding in may miss it
		await expect(async () => {
			if ((await feed(page).locator('details[open]').count()) === 0)
				await feed(page).locator('summary').first().click();
			await expect(feed(page).locator('dl')).toBeVisible({ timeout: 2_000 });
		}).toPass();
		await look('opened');
		await page.getByRole('button', { name: /^Events/ }).hover();
		found.definition = await findProblems(page);
		await server.kill('SIGKILL');
		await expect(page.getByText('The stream was cut')).toBeVisible();
		await look('away');
		const wrong = Object.entries(found).filter(([, problems]) => problems.length > 0);
		expect(wrong).toEqual([]);
		expect(Object.keys(found)).toHaveLength(7);
	});
});

test('(control) axe does find: an image without a text, grey on grey', async ({ page, server }) => {
	await openWithEvents(page, server);
	await page.evaluate(() => {
		document
			.querySelector('main')
			?.insertAdjacentHTML(
				'beforeend',
				'<img src="data:,"><p style="color: #999; background: #aaa">grey</p>',
			);
	});
	const rules = (await findProblems(page)).map((problem) => problem.split(' ')[0]);
	expect(rules.sort()).toEqual(['color-contrast', 'image-alt']);
});

test('by keyboard: everything in the order of reading, with visible focus', async ({
	page,
	server,
}) => {
	await openWithEvents(page, server);
	const stops: string[] = [];
	for (let press = 0; press < 40; press++) {
		await page.keyboard.press('Tab');
		const stop = await page.evaluate(() => {
			const focused = document.activeElement;
			if (!focused || focused === document.body) return null;
			const outlined = focused.closest('label') ?? focused;
			const { outlineStyle, outlineWidth } = getComputedStyle(outlined);
			const visible = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
			const name = focused.getAttribute('aria-label') ?? outlined.textContent ?? '';
			return `${name.replace(/\s+/g, ' ').trim()}${visible ? '' : ' (focus is not visible)'}`;
		});
		if (stop === null) break;
		stops.push(stop);
	}
	expect(stops.filter((stop) => stop.includes('not visible'))).toEqual([]);
	const order = ['Nowboard', 'System', 'Page views', 'Active sessions', 'Events ·', 'signup'];
	const found = order.map((name) => stops.findIndex((stop) => stop.includes(name)));
	expect(found, stops.join('\n')).toEqual([...found].sort((a, b) => a - b));
	expect(found).not.toContain(-1);
	// a row opens and closes
	const row = feed(page).locator('summary').first();
	// an arriving row moves the others, and the focus is lost: then it is pressed again
	await expect(async () => {
		if ((await feed(page).locator('dl').count()) === 0) await row.press('Enter');
		await expect(feed(page).locator('dl')).toBeVisible({ timeout: 3_000 });
	}).toPass();
	await feed(page).locator('details[open] summary').press('Enter');
	await expect(feed(page).locator('dl')).toHaveCount(0);
});

test('a definition opens on focus, and Escape takes it away', async ({ page, server }) => {
	await openWithEvents(page, server);
	const text = page.locator('.readout').first().getByRole('tooltip', { includeHidden: true });
	await expect(text).toBeHidden();
	await page.keyboard.press('Tab');
	while (!(await page.evaluate(() => document.activeElement?.closest('.readout'))))
		await page.keyboard.press('Tab');
	await expect(text).toBeVisible();
	await page.keyboard.press('Escape');
	await expect(text).toBeHidden();
});

test('the chart is told in a sentence and in a table', async ({ page, server }) => {
	await openWithEvents(page, server);
	const drawn = page.getByRole('figure', {
		name: /^Events per minute, the last 30 minutes: \d so far now/,
	});
	await expect(drawn).toBeAttached();
	const table = page.getByRole('table', { name: 'Events per minute' });
	await expect(table.getByRole('columnheader')).toHaveText(['Time', 'Events per minute']);
	await expect.poll(() => table.getByRole('row').count()).toBeGreaterThan(1);
});

test('the feed is a polite log that falls silent while events come faster than anybody reads', async ({
	page,
	server,
}) => {
	await openWithEvents(page, server);
	await expect(feed(page)).toHaveAttribute('aria-live', 'polite');
	await post(
		server,
		Array.from({ length: 30 }, () => ({ name: 'burst' })),
	);
	await expect(feed(page)).toContainText('burst');
	await expect(feed(page)).toHaveAttribute('aria-live', 'off');
	await expect(async () => {
		await post(server, { name: 'calm again' });
		await expect(feed(page)).toHaveAttribute('aria-live', 'polite', { timeout: 1_500 });
	}).toPass();
});

test.describe('with reduced motion', () => {
	test.use({ contextOptions: { reducedMotion: 'reduce' } });

	/** What still moves or changes size; a change of colour or opacity may stay. */
	const countMovements = (page: Page) =>
		page.evaluate(() => {
			const roots = [...document.querySelectorAll('*')].flatMap(
				({ shadowRoot }) => shadowRoot ?? [],
			);
			return [document, ...roots]
				.flatMap((root) => root.getAnimations())
				.filter(({ playState }) => playState === 'running')
				.flatMap(({ effect }) => (effect as KeyframeEffect).getKeyframes())
				.filter((frame) =>
					['transform', 'translate', 'scale', 'height'].some((key) => key in frame),
				).length;
		});

	test('nothing moves, neither empty nor when events arrive', async ({ page, server }) => {
		await openLive(page);
		expect(await countMovements(page)).toBe(0);
		await openWithEvents(page, server);
		for (let count = 0; count < 5; count++) {
			await post(server, { name: `event ${count}` });
			await expect(feed(page)).toContainText(`event ${count}`);
			expect(await countMovements(page)).toBe(0);
		}
	});
});

test.describe('a viewer in New York who reads German', () => {
	test.use({ locale: 'de-DE', timezoneId: 'America/New_York' });

	test('times are local, numbers are German, and the console stays empty', async ({
		page,
		server,
	}) => {
		const messages: string[] = [];
		page.on('console', (message) => messages.push(message.text()));
		await server.sql`
			insert into nowboard.events (name, created_at) values ('yesterday', now() - interval '23 hours')`;
		await server.sql`
			insert into nowboard.events (name) select 'many' from generate_series(1, 1234)`;
		await openLive(page);
		await expect(figure(page, 'Events')).toHaveText('1.234');
		const local = (at: number, options: Intl.DateTimeFormatOptions) =>
			new Intl.DateTimeFormat('de-DE', { timeZone: 'America/New_York', ...options }).format(at);
		const time = feed(page).locator('time').first();
		const at = Date.parse((await time.getAttribute('datetime')) ?? '');
		await expect(time).toHaveAttribute(
			'title',
			new RegExp(local(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' })),
		);
		expect(messages).toEqual([]);
	});
});

test.describe('on a phone', () => {
	test.use({ hasTouch: true, ownServer: true });

	test('nothing is cut and nothing scrolls sideways, 320 to 390 px wide', async ({
		page,
		server,
	}) => {
		const expectToFit = async (state: string) => {
			for (const width of [320, 360, 390]) {
				await page.setViewportSize({ width, height: 844 });
				expect(await isWiderThanScreen(page), `${width} px, ${state}`).toBe(false);
			}
		};
		await openLive(page);
		await expectToFit('empty');
		await openWithEvents(page, server);
		await expectToFit('with events');
		await feed(page).locator('summary').first().tap();
		await expect(feed(page).locator('dl')).toBeVisible();
		await expectToFit('a row opened');
		await server.kill('SIGKILL');
		await expect(status(page)).toHaveText('Reconnecting');
		await expectToFit('the server away');
	});
});
