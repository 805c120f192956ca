/** What a viewer with the password may change, and what is told there of what was done and refused. */
import { devices, type Page } from '@playwright/test';
import { findProblems } from './axe';
import { expectHydrated } from './board';
import { expect, test } from './server';

const PASSWORD = 'correct horse battery';
const BROWSER = { 'user-agent': devices['Desktop Firefox'].userAgent };

test.use({
	env: { DASHBOARD_PUBLIC: 'false', DASHBOARD_PASSWORD: PASSWORD, INGEST_OPEN: 'false' },
});

async function enter(page: Page, url: string, hydrates = true): Promise<void> {
	await page.goto(`${url}/settings`);
	await page.getByLabel('Password of this dashboard').fill(PASSWORD);
	await page.getByRole('button', { name: 'Log in' }).click();
	await expect(page.getByRole('heading', { name: 'Ingest keys' })).toBeVisible();
	// what is chosen before that is forgotten
	if (hydrates) await expectHydrated(page);
}

/** @returns the status, and what the body says of it */
async function send(url: string, key: string | null, headers: Record<string, string> = BROWSER) {
	const response = await fetch(`${url}/api/events`, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			...(key && { authorization: `Bearer ${key}` }),
			...headers,
		},
		body: '{"name":"from outside"}',
	});
	const { error = null } = (await response.json()) as { error?: string };
	return { status: response.status, error };
}

const keys = (page: Page) => page.getByRole('list', { name: 'Ingest keys' }).getByRole('listitem');
const shown = async (page: Page) =>
	(await page.getByRole('status').locator('code').first().textContent()) ?? '';

async function makeKey(page: Page, kind: string, source: string, origins = ''): Promise<string> {
	await page.getByLabel('Kind').selectOption(kind);
	await page.getByLabel('Source', { exact: true }).fill(source);
	if (origins) await page.getByLabel(/^Allowed origins/).fill(origins);
	await page.getByRole('button', { name: 'Create key' }).click();
	await expect(keys(page).filter({ hasText: source })).toBeVisible();
	return shown(page);
}

test('a key is made, shown once, used, rotated and revoked; all of it is told', async ({
	page,
	server,
}) => {
	const { url } = server;
	expect(await send(url, null)).toMatchObject({
		status: 401,
		error: expect.stringContaining('Make one under Settings'),
	});
	await enter(page, url);
	const key = await makeKey(page, 'secret', 'orders');
	expect(key).toMatch(/^nb_sec_/);
	await expect(page.getByRole('status').locator('pre')).toContainText(`Bearer ${key}`);
	await expect(keys(page)).toContainText(['secret for orders']);
	await expect(keys(page)).toContainText(['last used never']);
	expect((await send(url, key)).status).toBe(202);
	await page.reload();
	await expect(page.getByText(key)).toHaveCount(0);
	await expect(page.getByText('last used never')).toHaveCount(0);

	await page.getByRole('button', { name: 'Rotate orders' }).click();
	await expect(page.getByText('The previous key stops working within 5 seconds.')).toBeVisible();
	const fresh = await shown(page);
	expect(fresh).not.toBe(key);
	expect((await send(url, fresh)).status).toBe(202);
	await expect.poll(async () => (await send(url, key)).status).toBe(401);

	await page.getByRole('button', { name: 'Revoke orders' }).click();
	await expect(page.getByRole('button', { name: 'Revoke orders' })).toHaveCount(0);
	await expect.poll(async () => (await send(url, fresh)).status).toBe(401);

	await page.reload();
	const refused = page.getByRole('list', { name: 'Requests not recorded' });
	await expect(refused.getByText('no_key')).toBeVisible();
	await expect(refused.getByText('wrong_key')).toBeVisible();
	const done = page.getByRole('list', { name: 'Activity log' }).getByRole('listitem');
	await expect(done).toContainText(['key revoked', 'key rotated', 'key made', 'login']);
	await expect(done.first()).toContainText(`${fresh.slice(0, 13)}… of orders (page)`);
	expect(await page.content()).not.toContain(key);
});

test('a public key is for its pages, and robots that come with it are counted alone', async ({
	page,
	server,
}) => {
	const { url } = server;
	await enter(page, url);
	await page.getByLabel('Source', { exact: true }).fill('shop');
	await page.getByLabel(/^Allowed origins/).fill('shop.example');
	await page.getByRole('button', { name: 'Create key' }).click();
	await expect(page.getByRole('alert')).toHaveText(
		'origin is "shop.example" and must be an origin, such as https://shop.example.',
	);
	const key = await makeKey(page, 'public', 'shop', 'https://shop.example, https://m.shop.example');
	await expect(page.getByRole('status').locator('pre')).toContainText(`data-key="${key}"`);
	const origin = 'https://m.shop.example';
	expect((await send(url, key, { ...BROWSER, origin })).status).toBe(202);
	expect((await send(url, key, { ...BROWSER, origin: 'https://evil.example' })).status).toBe(403);
	expect((await send(url, key, { 'user-agent': 'Googlebot/2.1', origin })).status).toBe(202);
	const rows = await server.sql`select source, session_id from nowboard.events`;
	expect([...rows]).toEqual([{ source: 'shop', session_id: expect.stringMatching(/^day-/) }]);
	await page.reload();
	const refused = page.getByRole('list', { name: 'Requests not recorded' });
	await expect(refused.getByRole('listitem')).toHaveText([/origin$/, /bot$/]);
});

test('without JavaScript it works too', async ({ browser, server }) => {
	const context = await browser.newContext({ javaScriptEnabled: false });
	const page = await context.newPage();
	await enter(page, server.url, false);
	expect(await makeKey(page, 'public', 'shop')).toMatch(/^nb_pub_/);
	await page.getByRole('button', { name: 'Revoke shop' }).click();
	await expect(keys(page)).toContainText(['revoked']);
	await context.close();
});

// colours do not depend on the width
for (const [colorScheme, viewport] of [
	['light', { width: 1280, height: 900 }],
	['dark', { width: 360, height: 800 }],
] as const)
	test.describe(`${colorScheme}, ${viewport.width} px wide`, () => {
		test.use({ colorScheme, viewport });

		test('axe finds nothing, and nothing scrolls sideways', async ({ page, server }) => {
			await enter(page, server.url);
			expect(await findProblems(page), 'empty').toEqual([]);
			await page.getByLabel('Link name').fill('the wall');
			await page.getByRole('button', { name: 'Create link' }).click();
			await expect(page.getByRole('button', { name: 'Revoke the wall' })).toBeVisible();
			await send(server.url, null);
			await makeKey(page, 'secret', 'orders');
			await page.getByRole('button', { name: 'Revoke orders' }).click();
			await expect(page.getByRole('button', { name: 'Revoke orders' })).toHaveCount(0);
			await makeKey(page, 'public', 'shop', 'https://shop.example');
			expect(await findProblems(page)).toEqual([]);
			expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(
				false,
			);
			const folder = process.env.SETTINGS_PICTURES;
			if (folder)
				await page.screenshot({
					path: `${folder}/settings-${colorScheme}-${viewport.width}.png`,
					fullPage: true,
				});
		});
	});
