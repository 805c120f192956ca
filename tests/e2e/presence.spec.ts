/** People on a page of another origin come, read, go idle, move on and leave; the dashboard shows each of it. */
import type { Page } from '@playwright/test';
import { HERE_EVERY_MS } from '../../src/lib/presence';
import { figure, openLive } from './board';
import { expect, test } from './tracker-site';

const WAIT = { timeout: 120_000, intervals: [250] };
/** Each look sends a heartbeat. */
const SLOW = { ...WAIT, intervals: [1_000] };
const hereNow = (page: Page) => page.getByRole('group', { name: 'Here now', exact: true });
/** "2 active · 1 idle" */
const states = async (page: Page) =>
	(await hereNow(page).locator('.window').textContent())?.trim() ?? '';
/** The rows of Pages now: "/pricing 2". */
async function pagesNow(page: Page): Promise<string[]> {
	const rows = page.getByRole('list', { name: 'Pages now' }).getByRole('listitem');
	return rows.evaluateAll((items) =>
		items
			.filter((item) => item.querySelector('.count'))
			.map((item) =>
				['.value', '.count'].map((part) => item.querySelector(part)?.textContent?.trim()).join(' '),
			),
	);
}
/** As switching to another tab does, and back: then the browser's own answers hold again. */
const setHidden = (page: Page, hidden: boolean) =>
	page.evaluate((hidden) => {
		const kept = window as unknown as { kept?: PropertyDescriptorMap };
		kept.kept ??= Object.getOwnPropertyDescriptors(Document.prototype);
		for (const [name, value] of Object.entries({ hidden: true, visibilityState: 'hidden' }))
			Object.defineProperty(
				Document.prototype,
				name,
				hidden ? { value, configurable: true } : (kept.kept[name] as PropertyDescriptor),
			);
		document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
	}, hidden);

test.use({ ownServer: true });
test.setTimeout(600_000);
test('people are shown as they come, read, move on, hide, close and crash', async ({
	page,
	server,
	site,
	browser,
}, testInfo) => {
	site.presence = true;
	await openLive(page, '/?by=path,host');
	// a clock is that of a whole context
	const [clocked, visitors] = [await browser.newContext(), await browser.newContext()];
	try {
		const [one, two] = [await clocked.newPage(), await visitors.newPage()];
		await one.clock.install();
		await one.goto(site.url);
		await two.goto(`${site.url}/pricing`);
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1', '/pricing 1']);
		await expect(figure(page, 'Here now')).toHaveText('2');

		// readers: visible, without input; one of them moves again
		let x = 0;
		await expect.poll(() => states(page), WAIT).toBe('0 active · 2 idle');
		await expect
			.poll(async () => {
				await one.mouse.move(++x % 100, 5);
				await one.clock.fastForward(HERE_EVERY_MS);
				return states(page);
			}, SLOW)
			.toBe('1 active · 1 idle');

		// each of them in a list: by keyboard to the path of one, which leads back to the list
		const who = page.getByRole('list', { name: 'Who is here' }).getByRole('listitem');
		await page.locator('summary', { hasText: 'Who is here' }).focus();
		await page.keyboard.press('Enter');
		await expect(who).toHaveText([/^\s*active:\s*\/\s/, /^\s*idle:\s*\/pricing\s/], WAIT);
		await expect(who.first()).toContainText(/\d+ (s|min)|seconds?/);
		await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		const panel = page.getByRole('dialog', { name: 'Session' });
		const [first] = await server.sql<[{ session: string }]>`
			select session_id as session from nowboard.events where properties->>'path' = '/'`;
		await expect(panel).toContainText(first.session);
		await page.keyboard.press('Escape');
		await expect(panel).toHaveCount(0);
		await expect(who).toHaveCount(2);

		// a link, and back
		await one.getByRole('link', { name: 'Pricing' }).click();
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/pricing 2']);
		await one.goBack();
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1', '/pricing 1']);

		// a row is a link that filters the whole page, people too
		const rows = page.getByRole('list', { name: 'Pages now' });
		await rows.getByRole('link', { name: '/pricing', exact: true }).click();
		await expect(figure(page, 'Here now')).toHaveText('1');
		await expect(who).toHaveText([/\/pricing/], WAIT);
		await page.goBack();
		await expect(figure(page, 'Here now')).toHaveText('2');

		// a tab is closed, and says so
		const closed = await visitors.newPage();
		await closed.goto(`${site.url}/bye`);
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1', '/bye 1', '/pricing 1']);
		const closedAt = Date.now();
		await closed.close();
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1', '/pricing 1']);
		testInfo.annotations.push({ type: 'closed', description: `${Date.now() - closedAt} ms` });
		// (control) one that is lost leaves no such word
		const left = await server.sql`select path from nowboard.presence where left_at is not null`;
		expect(left).toEqual([{ path: '/bye' }]);

		// one page is killed, and says nothing; another is in the background for as long, and comes back
		const three = await visitors.newPage();
		await three.goto(`${site.url}/crash`);
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1', '/crash 1', '/pricing 1']);
		const lostAt = Date.now();
		// never answered
		const session = await visitors.newCDPSession(three);
		session.send('Page.crash').catch(() => {});
		await setHidden(two, true);
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1']);
		testInfo.annotations.push({ type: 'lost', description: `${Date.now() - lostAt} ms` });
		await setHidden(two, false);
		await expect.poll(() => pagesNow(page), WAIT).toEqual(['/ 1', '/pricing 1']);

		// the dashboard's own viewer never was a visitor, and no heartbeat was an event
		await expect(figure(page, 'Here now')).toHaveText('2');
		const names = await server.sql`select distinct name from nowboard.events`;
		expect(names).toEqual([{ name: 'page_view' }]);
	} finally {
		await clocked.close();
		await visitors.close();
	}
});

test.describe('PRESENCE=false', () => {
	test.use({ env: { PRESENCE: 'false' } });

	test('nothing is sent, recorded or shown', async ({ page, server, site, sent, context }) => {
		site.presence = true;
		await openLive(page, '/?by=path,host');
		const visitor = await context.newPage();
		const posts: string[] = [];
		visitor.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
		await visitor.goto(site.url);
		await expect.poll(sent).toHaveLength(1);
		await expect(figure(page, 'Page views')).toHaveText('1');
		await expect(hereNow(page)).toHaveCount(0);
		await expect(page.getByRole('heading', { name: 'Pages now' })).toHaveCount(0);
		expect(posts).toEqual([`${server.url}/api/events`]);
	});
});
