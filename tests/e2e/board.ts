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

/** @param url another way to the server, e.g. through a proxy */
export async function openLive(page: Page, url = '/') {
	await page.goto(url);
	await expect(status(page)).toHaveText('Live');
}
