/** What a test sees of the dashboard, and how it sends events to it. */
import type { Page } from '@playwright/test';
import { expect, type AppServer } from './server';

export const feed = (page: Page) => page.getByRole('log');
export const figure = (page: Page, name: string) =>
	page.getByRole('group', { name, exact: true }).locator('.sr-only').first();
export const status = (page: Page) =>
	page
		.getByRole('status')
		.filter({ hasText: /^\s*(Live|Connecting|Reconnecting|Offline|No (database|connection))\s*$/ });
export const chart = (page: Page) => page.locator('figure.chart');

/** Waits until the chart is drawn by LayerChart, which comes with the cursor, and takes the cursor away. */
export async function drawChart(page: Page) {
	await page.locator('figure.chart .surface').first().hover();
	await expect(page.getByTestId('trace')).toHaveAttribute('data-drawn', 'layerchart');
	await page.mouse.move(0, 0);
}

/** The names in the feed, newest first. */
export async function eventNames(page: Page): Promise<string[]> {
	const names = await feed(page).locator('summary .name').allTextContents();
	return names.map((name) => name.trim());
}

export const post = (server: AppServer, body: unknown) =>
	fetch(`${server.url}/api/events`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	});

/** Opens a page and waits until it answers to what is pressed, and has loaded all that it needs to do so. */
export async function openHydrated(page: Page, url: string) {
	// SvelteKit loads the error page beside it: a server that is stopped before that is an error on the console
	const isErrorPage = (path: string) => /\/nodes\/1\.[^/]+\.js$/.test(path);
	await Promise.all([
		page.waitForEvent('requestfinished', (request) => isErrorPage(request.url())),
		page.goto(url),
	]);
	await expectHydrated(page);
}

export const expectHydrated = (page: Page) =>
	expect(page.locator('html')).toHaveAttribute('data-hydrated');

/** @param url another way to the server, e.g. through a proxy */
export async function openLive(page: Page, url = '/') {
	await openHydrated(page, url);
	await expect(status(page)).toHaveText('Live');
}
