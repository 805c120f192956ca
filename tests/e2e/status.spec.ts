/** The status page: what a person sees of a server that is well, has lost its database, or is gone. */
import { connect } from '../../src/lib/server/db/connect';
import { findProblems } from './axe';
import { openHydrated, openLive, post } from './board';
import { expect, test, type AppServer } from './server';
import type { Page } from '@playwright/test';

const headline = (page: Page) => page.getByRole('heading', { level: 1 });
const part = (page: Page, name: string) =>
	page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
const line = (page: Page, name: string) =>
	page.getByRole('img', { name: `${name}, the last hour` });

/** Refuses all connections to the database, as a server that is gone does. */
async function closeDatabase(server: AppServer): Promise<{ open(): Promise<void> }> {
	const admin = connect(process.env.TEST_DATABASE_URL ?? '', { max: 1 });
	const name = new URL(server.databaseUrl).pathname.slice(1);
	await admin`alter database ${admin(name)} allow_connections false`;
	await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
	return {
		async open() {
			await admin`alter database ${admin(name)} allow_connections true`;
			await admin.end({ timeout: 1 });
		},
	};
}

test.describe('with counts and troubles of its own', () => {
	test.use({ ownServer: true });

	test('from the dashboard to the parts and the last hour, which go on by themselves', async ({
		page,
		server,
	}) => {
		await openLive(page);
		await page.getByRole('link', { name: 'Live: server status' }).click();
		await expect(page).toHaveURL(`${server.url}/status`);
		await expect(headline(page)).toHaveText('Everything works.');
		await expect(page).toHaveTitle('Everything works. · Nowboard');
		for (const name of ['Postgres', 'NOTIFY', 'Reading', 'Writing', 'Ticks', 'Streams'])
			await expect(part(page, name).getByText('fine', { exact: true })).toBeVisible();
		// how late it is depends on the machine
		await expect(part(page, 'Process').getByText(/^(fine|late)$/)).toBeVisible();
		await post(server, [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
		await post(server, { name: '' });
		await expect(line(page, 'Events')).toHaveAttribute('aria-label', /at most 3$/);
		await expect(line(page, 'Refused')).toHaveAttribute('aria-label', /at most 1$/);
		await expect(line(page, 'Delay (p99)')).toHaveAttribute('aria-label', /at most .* ms$/);
		await expect(part(page, 'Reading')).toContainText('ms behind');
		await expect(page.getByRole('list', { name: 'Requests not recorded' })).toContainText(
			'1 with an invalid event invalid',
		);
		await expect(part(page, 'Retention')).toContainText('Events are kept for 90 days.');
		await expect(part(page, 'History')).toContainText('ago', { timeout: 30_000 });
	});

	test('the database goes away: the page answers, says so, and comes back by itself', async ({
		page,
		server,
	}) => {
		test.slow();
		await openHydrated(page, '/status');
		await expect(headline(page)).toHaveText('Everything works.');
		const database = await closeDatabase(server);
		await expect(headline(page)).toHaveText(/^Postgres (refuses the login|is )/);
		expect((await post(server, { name: 'x' })).status).toBe(503);
		for (const name of ['Postgres', 'Reading', 'Writing'])
			await expect(part(page, name).getByText('broken', { exact: true })).toBeVisible();
		await expect(part(page, 'Streams').getByText('fine', { exact: true })).toBeVisible();
		// after a reload too, and as JSON
		expect((await page.reload())?.status()).toBe(200);
		await expect(headline(page)).toHaveText(/^Postgres /);
		const answer = await fetch(`${server.url}/api/dashboard/health`);
		expect(await answer.json()).toMatchObject({
			database: 'down',
			state: 'broken',
			missing: ['database'],
		});
		expect(await findProblems(page)).toEqual([]);
		await database.open();
		await expect(headline(page)).toHaveText('Everything works.', { timeout: 30_000 });
		await expect(line(page, 'State')).toHaveAttribute('aria-label', /now (broken|fine)$/);
	});

	test('the server goes away: what was known stays, and of when it is', async ({
		page,
		server,
	}) => {
		await openHydrated(page, '/status');
		await expect(headline(page)).toHaveText('Everything works.');
		await server.kill('SIGKILL');
		await expect(headline(page)).toHaveText('The server is not answering.');
		await expect(page.getByText(/^As of \d\d:\d\d:\d\d/)).toBeVisible();
		await server.start();
		await expect(headline(page)).toHaveText('Everything works.', { timeout: 30_000 });
	});
});

test('axe finds nothing, and nothing scrolls sideways, on a phone, a desk and a wall, light and dark', async ({
	page,
	server,
}) => {
	test.slow();
	await post(server, { name: 'a' });
	await openHydrated(page, '/status');
	await expect(line(page, 'Events')).toHaveAttribute('aria-label', /at most/);
	// colours do not depend on the width
	for (const [width, colorScheme] of [
		[320, 'light'],
		[390, 'dark'],
		[1280, 'light'],
		[1920, 'dark'],
	] as const) {
		await page.emulateMedia({ colorScheme });
		await expect(page.locator('html')).toHaveClass(new RegExp(`\\b${colorScheme}\\b`));
		await page.setViewportSize({ width, height: 844 });
		expect(await findProblems(page), `${width} px`).toEqual([]);
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		expect(wide, `${width} px`).toBeLessThanOrEqual(width);
	}
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('it reads the same', async ({ page }) => {
		await page.goto('/status');
		await expect(headline(page)).toHaveText('Everything works.');
		await expect(part(page, 'Postgres')).toBeVisible();
	});
});

test.describe('a dashboard that asks who looks', () => {
	test.use({ env: { DASHBOARD_PUBLIC: 'false', DASHBOARD_PASSWORD: 'correct horse battery' } });

	test('asks here too', async ({ page, server }) => {
		expect((await fetch(`${server.url}/api/dashboard/health`)).status).toBe(401);
		await openHydrated(page, '/status');
		await expect(page).toHaveURL(`${server.url}/login?to=%2Fstatus`);
	});
});
