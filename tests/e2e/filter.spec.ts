/** One filter for the whole page: by a row, by the keyboard, by the address. */
import type { Page } from '@playwright/test';
import { findProblems } from './axe';
import { chart, eventNames, feed, figure, openHydrated, openLive, status } from './board';
import { expect, test, type AppServer } from './server';

const chips = (page: Page) => page.getByRole('region', { name: 'Filter', exact: true });
const rows = (page: Page, name: string) =>
	page.getByRole('list', { name, exact: true }).getByRole('listitem');
const tab = (page: Page, name: string) =>
	page.getByRole('navigation', { name: 'Breakdowns' }).getByRole('link', { name });
const search = (page: Page) => decodeURIComponent(new URL(page.url()).search);
/** The sum of the live chart's table. */
async function drawn(page: Page): Promise<number> {
	const cells = await chart(page).locator('tbody td:last-child').allTextContents();
	return cells.reduce((sum, text) => sum + (Number(text) || 0), 0);
}
const insert = ({ sql }: AppServer, name: string, country: string, count = 1) => sql`
	insert into nowboard.events (name, source, context)
	select ${name}, 'web', ${sql.json({ country, os: 'Linux' })} from generate_series(1, ${count})`;

/** Three events from Germany and five from elsewhere: those that the address asks for are on the page. */
async function openMixed(page: Page, server: AppServer, url = '/') {
	await insert(server, 'here', 'DE', 3);
	await insert(server, 'elsewhere', 'AT', 5);
	await openLive(page, url);
	await expect(figure(page, 'Events')).toHaveText(url.includes('country:DE') ? '3' : '8');
}

test('a country that is clicked is what the whole page is about, after a reload and back too', async ({
	page,
	server,
}) => {
	await openMixed(page, server);
	await rows(page, 'Countries').getByRole('link', { name: 'Germany', exact: true }).click();
	await expect(figure(page, 'Events')).toHaveText('3');
	expect(search(page)).toBe('?f=country:DE');
	await expect(chips(page)).toContainText('Country is Germany');
	await expect(rows(page, 'Countries')).toHaveCount(1);
	await expect(rows(page, 'Event names')).toHaveCount(1);
	await expect.poll(() => drawn(page)).toBe(3);
	expect(new Set(await eventNames(page))).toEqual(new Set(['here']));

	await page.reload();
	await expect(figure(page, 'Events')).toHaveText('3');
	await page.goBack();
	await expect(figure(page, 'Events')).toHaveText('8');
	await expect(chips(page)).not.toContainText('Germany');
	await page.goForward();
	await expect(figure(page, 'Events')).toHaveText('3');
});

test('an event from elsewhere changes nothing, and one from there changes all of it', async ({
	page,
	server,
}) => {
	await openMixed(page, server, '/?f=country:DE');
	await expect(figure(page, 'Events')).toHaveText('3');
	// in one transaction, so that a frame with the second has seen the first
	await server.sql.begin(async (sql) => {
		await sql`insert into nowboard.events (name, context) values
			('not shown', ${sql.json({ country: 'AT' })}), ('shown', ${sql.json({ country: 'DE' })})`;
	});
	await expect(feed(page)).toContainText('shown');
	await expect(figure(page, 'Events')).toHaveText('4');
	await expect(rows(page, 'Event names')).toHaveCount(2);
	await expect(rows(page, 'Countries')).toHaveCount(1);
	await expect(rows(page, 'Countries')).toContainText('4');
	await expect.poll(() => drawn(page)).toBe(4);
	await expect(feed(page)).not.toContainText('not shown');
	// a control: without the filter all ten are there
	await chips(page)
		.getByRole('link', { name: /^Remove/ })
		.click();
	await expect(figure(page, 'Events')).toHaveText('10');
	await expect(feed(page)).toContainText('not shown');
});

test('/ completes a dimension and a value by keyboard', async ({ page, server }) => {
	await openMixed(page, server);
	await page.keyboard.press('/');
	const field = page.getByRole('combobox');
	await expect(field).toBeFocused();
	await page.keyboard.type('cou');
	await page.keyboard.press('Enter');
	await expect(field).toHaveValue('country:');
	await page.keyboard.type('aus');
	await expect(page.getByRole('option', { name: 'Austria' })).toContainText('5');
	await page.keyboard.press('Enter');
	await expect(figure(page, 'Events')).toHaveText('5');
	expect(search(page)).toBe('?f=country:AT');
});

test('a row is excluded, a chip negated and removed, and several are or', async ({
	page,
	server,
}) => {
	await openMixed(page, server);
	await insert(server, 'third', 'CH', 2);
	await rows(page, 'Countries').getByRole('link', { name: 'Exclude Germany' }).press('Enter');
	await expect(figure(page, 'Events')).toHaveText('7');
	await chips(page).getByRole('link', { name: 'Negate: Country is not Germany' }).click();
	await expect(figure(page, 'Events')).toHaveText('3');
	await openHydrated(page, '/?f=country:CH&f=country:DE&f=-name:third');
	await expect(figure(page, 'Events')).toHaveText('3');
	await chips(page).getByRole('link', { name: 'Clear all' }).click();
	await expect(figure(page, 'Events')).toHaveText('10');
});

test('tabs change the breakdowns, keep the filter and the keyboard, and lose no event', async ({
	page,
	server,
}) => {
	await openMixed(page, server);
	await openLive(page, '/?f=country:DE');
	await tab(page, 'Devices').focus();
	await page.keyboard.press('Enter');
	await expect(rows(page, 'Operating systems')).toContainText(['Linux']);
	await expect(tab(page, 'Devices')).toBeFocused();
	expect(search(page)).toBe('?f=country:DE&by=device,browser,os');
	await expect(status(page)).toHaveText('Live');
	await insert(server, 'later', 'DE');
	await expect(feed(page)).toContainText('later');
	await expect(rows(page, 'Operating systems').first()).toContainText('4');
	// it takes the place of the address before
	await page.goBack();
	await expect(page).not.toHaveURL(/f=country/);
});

test('a value of an opened row becomes a filter, and its properties a breakdown', async ({
	page,
	server,
}) => {
	await server.sql`insert into nowboard.events (name, properties) values
		('signup', '{"plan": "pro"}'), ('signup', '{"plan": "free"}'), ('other', '{}')`;
	await openLive(page, '/?by=name,source');
	await feed(page).locator('summary', { hasText: 'signup' }).first().press('Enter');
	await feed(page).getByRole('link', { name: 'signup', exact: true }).click();
	await expect(figure(page, 'Events')).toHaveText('2');
	expect(search(page)).toBe('?f=name:signup&by=name,source');
	await page
		.getByRole('navigation', { name: 'Properties' })
		.getByRole('link', { name: 'plan' })
		.click();
	await expect(rows(page, 'plan')).toHaveCount(2);
	await rows(page, 'plan').getByRole('link', { name: 'pro', exact: true }).click();
	await expect(figure(page, 'Events')).toHaveText('1');
});

test('a range keeps the filter: cards, chart and tables follow, and the feed stays live', async ({
	page,
	server,
}) => {
	await openMixed(page, server);
	await openLive(page, '/?f=country:DE&range=24h');
	await expect(figure(page, 'Events')).toHaveText('3', { timeout: 40_000 });
	await expect(rows(page, 'Event names')).toHaveCount(1);
	await expect(rows(page, 'Event names')).toContainText('here');
	await expect(page.getByText('The feed stays live.')).toBeVisible();
	await insert(server, 'live', 'DE');
	await expect(feed(page)).toContainText('live');
});

test('a country of the map is a filter, and the pointer reads its exact value', async ({
	page,
	server,
}) => {
	await openMixed(page, server, '/?by=country,language');
	const austria = page.getByTestId('map').locator('[data-country=AT]');
	// drawn, and darker than a country without events
	await expect(austria.locator('path')).toBeVisible();
	// by events: a country is as small as a few pixels, and the map may still be moving
	await austria.locator('path').dispatchEvent('pointermove');
	await expect(page.getByTestId('map')).toContainText('Austria');
	await expect(page.getByTestId('map')).toContainText('5 events, 63%');
	await austria.dispatchEvent('click');
	await expect(figure(page, 'Events')).toHaveText('5');
	expect(search(page)).toBe('?f=country:AT&by=country,language');
});

test('the whole list is searched, and a row of it is a filter', async ({ page, server }) => {
	await server.sql`insert into nowboard.events (name, properties)
		select 'page_view', jsonb_build_object('path', '/page/' || i) from generate_series(1, 300) i`;
	await openLive(page, '/?by=path,host');
	await expect(figure(page, 'Events')).toHaveText('300');
	await page.getByRole('button', { name: 'Show all: Pages' }).click();
	const dialog = page.getByRole('dialog', { name: 'Pages' });
	await expect(dialog.getByRole('searchbox')).toBeFocused();
	await expect(dialog).toContainText('300 values, 300 page views');
	expect(await findProblems(page)).toEqual([]);
	await page.keyboard.press('Escape');
	await expect(dialog).toBeHidden();
	await page.getByRole('button', { name: 'Show all: Pages' }).press('Enter');
	await page.keyboard.type('/page/27');
	await expect(dialog.getByRole('listitem')).toHaveCount(11);
	await dialog.getByRole('link', { name: '/page/271', exact: true }).click();
	await expect(dialog).toBeHidden();
	await expect(figure(page, 'Events')).toHaveText('1');
	expect(search(page)).toBe('?f=path:/page/271&by=path,host');
});

test('a property has its sum and percentiles, and an empty feed says why', async ({
	page,
	server,
}) => {
	await server.sql`insert into nowboard.events (name, properties)
		select 'order', jsonb_build_object('total', i * 0.1) from generate_series(1, 20) i`;
	await openLive(page, '/?f=name:order&by=name,source,props.total');
	const measures = page.locator('dl').filter({ hasText: 'Average' });
	await expect(measures).toContainText(/Sum\s*21\s*Average\s*1.05/);
	await expect(measures).toContainText(/Median\s*1\s*p95\s*1.9\s*Max\s*2$/);
	await openLive(page, '/?f=name:nothing');
	await page.getByRole('link', { name: 'Clear the filter' }).click();
	await expect(feed(page)).toContainText('order');
	expect(search(page)).toBe('');
});

test('what is no filter is refused by name', async ({ page }) => {
	const response = await page.goto('/?f=colour:red');
	expect(response?.status()).toBe(400);
	await expect(page.getByText(/unknown dimension "colour"/)).toBeVisible();
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('rows, chips and tabs are links', async ({ page, server }) => {
		await insert(server, 'here', 'DE', 3);
		await insert(server, 'elsewhere', 'AT', 5);
		await expect(async () => {
			await page.goto('/');
			await expect(figure(page, 'Events')).toHaveText('8', { timeout: 100 });
		}).toPass();
		await rows(page, 'Countries').getByRole('link', { name: 'Germany', exact: true }).click();
		await expect(figure(page, 'Events')).toHaveText('3');
		await tab(page, 'Places').click();
		await expect(page.getByRole('list', { name: 'Languages' })).toBeVisible();
		await chips(page)
			.getByRole('link', { name: /^Remove/ })
			.click();
		await expect(figure(page, 'Events')).toHaveText('8');
	});
});

for (const [colorScheme, width] of [
	['light', 1280],
	['dark', 390],
] as const)
	test.describe(`${colorScheme}, ${width} px`, () => {
		test.use({ colorScheme, viewport: { width, height: 844 } });

		test('axe finds nothing, and nothing scrolls sideways', async ({ page, server }) => {
			await openMixed(page, server, '/?f=country:DE&f=-name:nothing&by=country,language');
			expect(await findProblems(page)).toEqual([]);
			await page.getByRole('button', { name: /^Filter/ }).click();
			await expect(page.getByRole('combobox')).toBeFocused();
			expect(await findProblems(page)).toEqual([]);
			expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
				width,
			);
		});
	});
