/** A screen on a wall: no one is there to press anything, for weeks. */
import type { Page } from '@playwright/test';
import { startReverseProxy, type ReverseProxy } from '../setup/reverse-proxy';
import { openHydrated, status } from './board';
import { expect, test as base } from './server';

const PASSWORD = 'correct horse battery';
const NOWHERE = 'http://127.0.0.1:1';
/** `version.pollInterval` of svelte.config.js, and CLOCK_REFRESH_MS of the store */
const VERSION_POLL_MS = 10 * 60_000;
const CLOCK_REFRESH_MS = 5 * 60_000;
const MONTH_S = 30 * 24 * 3_600;

const test = base.extend<{ between: ReverseProxy }>({
	between: async ({ server }, use) => {
		const proxy = await startReverseProxy();
		proxy.point(server.url);
		await use(proxy);
		await proxy.close();
	},
});

test.describe('a new version', () => {
	/** A kiosk that hears of another version when it asks next. @returns what its own address was answered */
	async function open(page: Page, url: string) {
		const answered: number[] = [];
		page.on('response', (response) => {
			if (new URL(response.url()).pathname === '/kiosk') answered.push(response.status());
		});
		await page.clock.install();
		await page.route('**/_app/version.json', (route) =>
			route.fulfill({ json: { version: 'next' } }),
		);
		await page.goto(`${url}/kiosk`);
		await expect(status(page)).toHaveText('Live');
		await page.evaluate(() => Object.assign(window, { isOld: true }));
		return answered;
	}
	/** null: between the two pages */
	const isOld = (page: Page) => page.evaluate(() => 'isOld' in window).catch(() => null);

	test('is taken at once where the server is there', async ({ page, between }) => {
		const answered = await open(page, between.url);
		await page.clock.fastForward(VERSION_POLL_MS);
		await expect.poll(() => isOld(page)).toBe(false);
		await expect(status(page)).toHaveText('Live');
		expect(answered).toEqual([200, 200, 200]);
	});

	test('is waited for while the proxy has no server to ask: the old page stays until then', async ({
		page,
		between,
		server,
	}) => {
		const answered = await open(page, between.url);
		// streams that are open go on; new requests get 502
		between.point(NOWHERE);
		await page.clock.fastForward(VERSION_POLL_MS);
		await expect.poll(() => answered.filter((code) => code === 502).length).toBeGreaterThan(1);
		expect(await isOld(page)).toBe(true);
		await expect(page.getByRole('main')).toBeVisible();
		between.point(server.url);
		await expect.poll(() => isOld(page), { timeout: 30_000 }).toBe(false);
		await expect(status(page)).toHaveText('Live');
		expect(answered.slice(-2)).toEqual([200, 200]);
	});

	test('(control) a page that reloads at once stays on the proxy’s error page', async ({
		page,
		between,
		server,
	}) => {
		await open(page, between.url);
		between.point(NOWHERE);
		await expect(page.reload()).rejects.toThrow('ERR_HTTP_RESPONSE_CODE_FAILURE');
		between.point(server.url);
		await page.clock.fastForward(VERSION_POLL_MS);
		await expect.poll(() => isOld(page)).toBe(false);
		await expect(page.getByRole('main')).toHaveCount(0);
	});
});

test.describe('let in by a link', () => {
	test.use({ env: { DASHBOARD_PUBLIC: 'false', DASHBOARD_PASSWORD: PASSWORD } });

	test('it stays logged in without a reload, and the link’s last use is told', async ({
		page,
		browser,
		server,
	}) => {
		await openHydrated(page, `${server.url}/settings`);
		await page.getByLabel('Password of this dashboard').fill(PASSWORD);
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.getByLabel('Link name').fill('the wall');
		await page.getByRole('button', { name: 'Create link' }).click();
		const link = await page.getByRole('status').locator('code').textContent();
		const row = page.getByRole('list', { name: 'Share links' }).getByRole('listitem');
		await expect(row).toContainText('last used never');
		expect([...(await server.sql`select last_used_at from nowboard.share_links`)]).toEqual([
			{ last_used_at: null },
		]);

		const context = await browser.newContext();
		const wall = await context.newPage();
		await wall.clock.install();
		await wall.goto(`${link}?to=/kiosk`);
		await expect(status(wall)).toHaveText('Live');
		// almost a month later
		const [cookie] = await context.cookies();
		if (!cookie) throw new Error('the link has set no cookie');
		const now = Date.now() / 1_000;
		await context.addCookies([{ ...cookie, expires: now + 60 }]);
		await wall.clock.fastForward(CLOCK_REFRESH_MS);
		await expect
			.poll(async () => ((await context.cookies())[0]?.expires ?? 0) - now)
			.toBeGreaterThan(MONTH_S - 60);
		const [kept] = await context.cookies();
		expect(kept).toEqual({ ...cookie, expires: expect.any(Number) });
		await context.close();

		const [used] = await server.sql<{ ago: number }[]>`
			select extract(epoch from now() - last_used_at)::float8 as ago from nowboard.share_links`;
		expect(used?.ago).toBeLessThan(60);
		await page.reload();
		await expect(row).toContainText(/last used (now|\d+ s|just)/);
		const told = row.getByText(/^last used/).locator('time');
		expect(Date.now() - Date.parse((await told.getAttribute('datetime')) ?? '')).toBeLessThan(
			60_000,
		);
	});
});

/** What the page asked of the browser, and the locks that it holds. The locks are Chromium's own. */
type Watched = typeof globalThis & {
	asked: string[];
	locks: WakeLockSentinel[];
	tabHidden: boolean;
};

test('it keeps the screen awake, and asks again when it is seen again', async ({ page }) => {
	await page.addInitScript(() => {
		const watched = globalThis as Watched;
		Object.assign(watched, { asked: [], locks: [], tabHidden: false });
		const request = WakeLock.prototype.request;
		WakeLock.prototype.request = async function (type) {
			watched.asked.push(type ?? 'screen');
			const lock = await request.call(this, type);
			watched.locks.push(lock);
			return lock;
		};
		// headless pages are always visible: this one says what it is told
		Object.defineProperty(document, 'hidden', { get: () => watched.tabHidden });
	});
	const see = (isSeen: boolean) =>
		page.evaluate(async (isSeen) => {
			const watched = globalThis as Watched;
			watched.tabHidden = !isSeen;
			// as the browser does for a page that is hidden
			if (!isSeen) for (const lock of watched.locks) await lock.release();
			document.dispatchEvent(new Event('visibilitychange'));
		}, isSeen);
	const held = () =>
		page.evaluate(() => {
			const { asked, locks } = globalThis as Watched;
			return { asked, held: locks.filter(({ released }) => !released).length };
		});

	await page.goto('/kiosk');
	await expect.poll(held).toEqual({ asked: ['screen'], held: 1 });
	await see(false);
	expect(await held()).toEqual({ asked: ['screen'], held: 0 });
	await see(true);
	await expect.poll(held).toEqual({ asked: ['screen', 'screen'], held: 1 });
	// the dashboard itself lets the screen sleep
	await page.goto('/');
	await expect(status(page)).toHaveText('Live');
	expect(await held()).toEqual({ asked: [], held: 0 });
});
