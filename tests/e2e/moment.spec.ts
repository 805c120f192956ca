/** The page at a moment: paused, and at a time of its address. */
import { findProblems } from './axe';
import type { Page } from '@playwright/test';
import { chart, drawChart, eventNames, figure, openLive, post } from './board';
import { expect, test, type AppServer } from './server';

test.use({ contextOptions: { reducedMotion: 'no-preference' } });

const bar = (page: Page) => page.getByRole('region', { name: 'Time of the page' });

/** The figure is that of the address's time, by SQL. */
async function expectMomentOf(page: Page, server: AppServer, where = 'true') {
	const at = new URL(page.url()).searchParams.get('at') ?? '';
	const [row] = await server.sql<[{ n: number }]>`
		select count(*)::int as n from nowboard.events where created_at <= ${at}::timestamptz
			and created_at > ${at}::timestamptz - interval '30 minutes' and ${server.sql.unsafe(where)}`;
	await expect(figure(page, 'Events')).toHaveText(row.n.toLocaleString('en'));
	return { at, n: row.n };
}

test('a paused page rests while events arrive, loses nothing, and shows everything at once', async ({
	page,
	server,
}) => {
	await post(server, { name: 'first' });
	await openLive(page);
	await expect(figure(page, 'Events')).toHaveText('1');
	await page.keyboard.press('p');
	const bar = page.getByRole('region', { name: 'Paused' });
	await expect(bar).toContainText('Paused at');
	await expect(page.getByRole('status').filter({ hasText: /^Paused at/ })).toHaveCount(1);
	for (const name of ['second', 'third']) await post(server, { name });
	await expect(bar).toContainText('2 events since');
	await expect(figure(page, 'Events')).toHaveText('1');
	expect(await eventNames(page)).toEqual(['first']);
	await expect(page).toHaveTitle('Nowboard (paused)');
	// no heading says that it is the present
	await expect(page.getByRole('heading', { name: /^Feed until \d/ })).toBeVisible();
	await expect(page.getByRole('group', { name: 'Here then' })).toBeVisible();
	await expect(page.getByText(/events? in the minute until \d/).first()).toBeVisible();
	await expect(page.getByText(/last minute|Live feed|Here now|Pages now/i)).toHaveCount(0);
	expect(await findProblems(page)).toEqual([]);
	await page.keyboard.press('Escape');
	await expect(bar).toHaveCount(0);
	await expect(figure(page, 'Events')).toHaveText('3');
	expect(await eventNames(page)).toEqual(['third', 'second', 'first']);
	await expect(page.getByRole('heading', { name: 'Live feed' })).toBeVisible();
	await expect(page.getByText(/events? in the last minute/).first()).toBeVisible();
});

test('the needle leads to another time, which the address keeps, and back to now', async ({
	page,
	server,
}) => {
	await server.sql`
		insert into nowboard.events (name, created_at)
		select case when i < 600 then 'late' else 'early' end, clock_timestamp() - i * interval '1 second'
		from generate_series(1, 3000) i`;
	await openLive(page);
	await expect(figure(page, 'Events')).toHaveText(/^1,7\d\d$/);
	const handle = page.getByRole('slider', { name: 'Time that the page shows' });
	const box = (await handle.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
	const plot = (await chart(page).locator('.surface').boundingBox()) ?? { width: 0 };
	await page.mouse.move(box.x + box.width / 2, box.y + 60);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width / 2 - plot.width / 2, box.y + 60, { steps: 5 });
	await page.mouse.up();
	await expect(bar(page)).toContainText('As of');
	await expect(page).toHaveURL(/[?&]at=/);

	const expectMoment = (where?: string) => expectMomentOf(page, server, where);
	const dragged = await expectMoment();
	expect(new Set(await eventNames(page))).toEqual(new Set(['early']));
	expect(await findProblems(page)).toEqual([]);
	// what arrives meanwhile is not of that time, and a reload keeps it
	await post(server, { name: 'now' });
	await page.reload();
	await expect(bar(page)).toContainText('As of');
	expect(await expectMoment()).toEqual(dragged);
	// by keys, and under a filter
	await handle.focus();
	await page.keyboard.press('PageUp');
	await expect.poll(() => new URL(page.url()).searchParams.get('at')).not.toBe(dragged.at);
	await expectMoment();
	await page.goto(`/?f=name:late&at=${dragged.at}`);
	await expectMoment(`name = 'late'`);
	// a time before the data is said, and there is a way back
	await page.goto('/?at=2020-01-01');
	await expect(page.getByText('no event that is kept is as old')).toBeVisible();
	await page.getByRole('button', { name: /^Back to live/ }).click();
	await expect(page).not.toHaveURL(/at=/);
	await expect(bar(page)).toHaveCount(0);
	const refused = await fetch(`${server.url}/api/dashboard/moment?at=2090-01-01`);
	expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('future')]);
});

/** Twenty events, then seven within a minute, ten minutes ago, then three now. */
async function openWithPast(page: Page, { sql }: AppServer, url = '/') {
	await sql`
		insert into nowboard.events (name, created_at) select name, at from (values
			('before', 20, interval '-15 minutes'), ('then', 7, interval '-10 minutes'), ('now', 3, null)
		) as sent (name, n, ago), generate_series(1, n),
			lateral (select coalesce(date_trunc('minute', now()) + ago, now()) as at) as times`;
	await openLive(page, url);
	await drawChart(page);
}
const middle = async (page: Page) => {
	const box = await chart(page).locator('.surface').boundingBox();
	return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + 40 };
};
const reading = (page: Page) => chart(page).locator('.reading');

test('a point of the chart leads to the page at its end, by mouse and by key, and back', async ({
	page,
	server,
}) => {
	await openWithPast(page, server, '/?f=-name:other');
	const slider = page.getByRole('slider', { name: 'Events per minute: choose a time' });
	await slider.focus();
	await expect(slider).toHaveAttribute('aria-valuetext', /so far: /);
	await expect(async () => {
		await page.keyboard.press('ArrowLeft');
		expect(await slider.getAttribute('aria-valuetext')).toMatch(/: 7 events/);
	}).toPass({ intervals: [1] });
	await expect(slider).toHaveAccessibleDescription('Enter shows the page at that time.');
	await expect(reading(page)).toContainText(/Enter: the page at \d/);
	await page.keyboard.press('Enter');
	// read from the table, beside what others do there
	await expect(bar(page)).toContainText('As of', { timeout: 90_000 });
	await expect(figure(page, 'Events')).toHaveText('27');
	expect(new Set(await eventNames(page))).toEqual(new Set(['then', 'before']));
	// the filter stays, and the end of the minute is in the address
	expect(new URL(page.url()).searchParams.get('f')).toBe('-name:other');
	expect(new URL(page.url()).searchParams.get('at')).toMatch(/:00Z$/);
	await expect(slider).toBeFocused();
	await page.goBack();
	await expect(bar(page)).toHaveCount(0);
	await expect(figure(page, 'Events')).toHaveText('30');

	const { x, y } = await middle(page);
	await page.mouse.move(x, y);
	await expect(reading(page)).toContainText(/Click: the page at \d/);
	await page.mouse.click(x, y);
	await expect(bar(page)).toContainText('As of');
	expect((await expectMomentOf(page, server)).at).toMatch(/:00Z$/);
	// the newest point is the time that the page shows: it leads nowhere
	await slider.focus();
	await page.keyboard.press('End');
	await expect(reading(page)).toContainText('so far');
	await expect(reading(page)).not.toContainText('the page at');
	// from a range, the page leaves it
	await openLive(page, '/?range=24h');
	const hours = page.getByRole('slider', { name: 'Events per 15 minutes: choose a time' });
	await hours.focus();
	await page.keyboard.press('ArrowLeft');
	await page.keyboard.press('ArrowLeft');
	await page.keyboard.press('Enter');
	await expect(page).toHaveURL(/\?at=[^&]*(00|15|30|45):00Z$/);
	await expect(bar(page)).toContainText('As of');
	// nothing on a screen on a wall can be pressed
	await openLive(page, '/kiosk');
	await drawChart(page);
	await chart(page).locator('.surface').click();
	await expect(reading(page)).not.toContainText('the page at');
	await expect(page).toHaveURL(/\/kiosk$/);
});

test.describe('by touch', () => {
	test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });

	test('a tap reads a point, a second one leads there, and a tap elsewhere takes it away', async ({
		page,
		server,
	}) => {
		await openWithPast(page, server);
		const { x, y } = await middle(page);
		await page.touchscreen.tap(x, y);
		await expect(reading(page)).toContainText(/Tap again: the page at \d/);
		await page.getByRole('heading', { name: 'Events per minute' }).tap();
		await expect(reading(page)).toHaveCount(0);
		// a finger is wider than a minute
		await page.touchscreen.tap(x, y);
		await expect(reading(page)).toContainText('Tap again');
		expect(page.url()).not.toContain('at=');
		await page.touchscreen.tap(x + 9, y);
		await expect(bar(page)).toContainText('As of');
		expect((await expectMomentOf(page, server)).at).toMatch(/:00Z$/);
	});
});
