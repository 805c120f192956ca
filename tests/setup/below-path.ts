/** A person's way through a dashboard that a proxy serves below a path; for any proxy, and needs no test runner. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright';
import type { Sql } from '../../src/lib/server/db/connect';

const PASSWORD = 'correct horse battery';
const SHOWN_MS = 30_000;

/** What the server needs to know. @param address the dashboard's, without a slash at the end: `http://127.0.0.1:8080/now` */
export const envBelow = (address: string): Record<string, string> => ({
	ORIGIN: address,
	DASHBOARD_PUBLIC: 'false',
	DASHBOARD_PASSWORD: PASSWORD,
});

const isLive = (page: Page) =>
	page.getByText('Live', { exact: true }).first().waitFor({ timeout: SHOWN_MS });
const isAt = (page: Page, address: string) =>
	page.waitForURL((url) => url.href === address, { timeout: SHOWN_MS });

async function logIn(page: Page): Promise<void> {
	await page.locator('input[type=password]').fill(PASSWORD);
	await page.locator('button[type=submit]').click();
}

/** Rejects at the first step that does not work. @param sql the database of the server */
export async function walkBelow(browser: Browser, address: string, sql: Sql): Promise<void> {
	const { origin, pathname } = new URL(address);
	const context = await browser.newContext();
	const page = await context.newPage();
	const outside: string[] = [];
	context.on('request', (request) => {
		const url = new URL(request.url());
		const isOurs = url.origin === origin && request.resourceType() !== 'other';
		if (isOurs && url.pathname !== pathname && !url.pathname.startsWith(`${pathname}/`))
			outside.push(url.pathname);
	});

	// the page leads to the login and back, the stream carries an event, the cookie stays below the path
	await page.goto(`${address}/?source=sql`);
	await isAt(page, `${address}/login?to=%2F%3Fsource%3Dsql`);
	await logIn(page);
	await isAt(page, `${address}/?source=sql`);
	await isLive(page);
	await sql`insert into nowboard.events (name) values ('seen below a path')`;
	await page.getByText('seen below a path').first().waitFor({ timeout: SHOWN_MS });
	assert.deepEqual(
		(await context.cookies()).map(({ path }) => path),
		[pathname],
	);

	// links, history, the status page with and without a slash
	const read = page.waitForResponse((one) => one.url().includes('/api/dashboard/history'));
	await page.getByRole('navigation', { name: 'Range' }).locator('a[href*="range=24h"]').click();
	await isAt(page, `${address}/?f=source:sql&range=24h`);
	assert.equal((await read).status(), 200);
	await page.locator(`header a[href$="/status"]`).click();
	await isAt(page, `${address}/status`);
	await page.goto(`${address}/status/`);
	await page.locator('header a').first().click();
	await isAt(page, `${address}/`);
	await isLive(page);

	// settings make a share link, which opens the kiosk in another browser
	await page.goto(`${address}/settings`);
	await page.locator('form[action^="?/share"] input[name=name]').fill('the wall');
	await page.locator('form[action^="?/share"] button').click();
	const link = page.locator('code', { hasText: '/s/' });
	await link.waitFor({ timeout: SHOWN_MS });
	const shared = (await link.textContent())?.trim() ?? '';
	assert.ok(shared.startsWith(`${address}/s/`), shared);
	const wall = await (await browser.newContext()).newPage();
	await wall.goto(`${shared}?to=/kiosk`);
	await isAt(wall, `${address}/kiosk`);
	await isLive(wall);
	await wall.context().close();

	// the tracker sends to where its script came from
	const site = createServer((_, answer) =>
		answer
			.setHeader('content-type', 'text/html')
			.end(`<title>Shop</title><script defer src="${address}/t.js"></script>`),
	).listen(0, '127.0.0.1');
	await once(site, 'listening');
	const shop = await context.newPage();
	const sent = shop.waitForResponse((one) => one.url().startsWith(`${address}/api/events`));
	await shop.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
	assert.equal((await sent).status(), 202);
	await shop.close();
	site.closeAllConnections();
	site.close();
	assert.deepEqual(outside, []);

	// a slash too many leads nowhere else
	for (const [path, status] of [
		['/healthz/', 200],
		['/api/dashboard/history/?range=24h', 200],
		['/s/unknown/', 404],
		['/t.js/', 404],
	] as const) {
		const found = await context.request.get(address + path, { maxRedirects: 0 });
		assert.deepEqual([path, found.status()], [path, status]);
	}

	// the address without its slash is the same page
	await page.goto(address);
	await isAt(page, `${address}/`);
	await isLive(page);

	const html = await context.request.post(`${address}/logout`, {
		headers: { origin },
		maxRedirects: 0,
	});
	assert.deepEqual([html.status(), html.headers().location], [303, `${pathname}/login`]);
	await context.close();
}
