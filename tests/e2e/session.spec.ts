/** The path of a person: opened from the feed, followed live, found again by its address, and closed by going back. */
import { devices, type Page } from '@playwright/test';
import { createToken } from '../../src/lib/server/access/viewer-token';
import { findProblems } from './axe';
import { feed, figure, openHydrated, openLive, post } from './board';
import { expect, test } from './server';

const panel = (page: Page) => page.getByRole('dialog', { name: 'Session' });
/** The events in the panel, newest first: name and subject. */
const steps = (page: Page) =>
	panel(page)
		.locator('.step summary')
		.evaluateAll((rows) =>
			rows.map((row) =>
				['.name', '.subject']
					.map((part) => row.querySelector(part)?.textContent?.trim())
					.join(' ')
					.trim(),
			),
		);
const closed = (page: Page) => expect(panel(page)).toHaveCount(0);

test.use({ ownServer: true });

test('a session opens beside the page, follows what happens, and has an address', async ({
	page,
	server,
}) => {
	const { sql, url } = server;
	// its beginning lies two days back, further than one page of events
	await sql`insert into nowboard.events (name, source, session_id, user_id, properties, context, created_at)
		select case i when 60 then 'page_view' else 'step' end, 'web', 'path-1', null,
			case i when 60 then '{"path": "/start", "referrer": "https://search.example/"}' else jsonb_build_object('n', i)::text end::jsonb,
			'{"country": "DE", "device": "mobile", "browser": "Firefox"}', now() - interval '2 days' - i * interval '1 minute'
		from generate_series(1, 60) as i`;
	await sql`insert into nowboard.events (name, source, session_id, user_id, properties, created_at) values
		('order', 'web', 'path-1', 'anna', '{"total": 42}', now() - interval '1 minute'),
		('order', 'web', 'path-2', 'anna', '{"total": 1}', now() - interval '3 hours'),
		('signup', 'web', 'other', null, '{}', now())`;
	await openLive(page, '/?f=source:web');
	const row = feed(page)
		.getByRole('listitem')
		.filter({ hasText: /total\s*42/ })
		.first();
	await row.hover();
	await row.getByRole('link', { name: 'Open session' }).first().click();
	await expect
		.poll(async () => (await steps(page)).slice(0, 2))
		.toEqual(['order total 42', 'step n 1']);
	await expect(panel(page)).toContainText('Before the last half hour');
	await expect(panel(page).locator('dl').first()).toContainText('Germany');
	await expect(panel(page).locator('dl').first()).toContainText('search.example');
	expect(new URL(page.url()).search).toBe('?f=source:web&session=path-1');

	// the page goes on beside it, and the panel with what the session does; another session's event is not its own
	await post(server, { name: 'signup', source: 'web', sessionId: 'other' });
	await post(server, {
		name: 'thanks',
		source: 'web',
		sessionId: 'path-1',
		properties: { path: '/thanks' },
	});
	await expect.poll(async () => (await steps(page))[0]).toBe('thanks /thanks');
	// the feed may stand still: it scrolls when the pointer comes to a row
	await expect(figure(page, 'Events')).toHaveText('4');
	expect((await steps(page)).filter((step) => step.startsWith('signup'))).toEqual([]);
	await fetch(`${url}/api/presence`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ sessionId: 'path-1', source: 'web', path: '/cart' }),
	});
	await expect(panel(page).getByRole('status').filter({ hasText: 'Active now' })).toContainText(
		'/cart',
	);
	expect(await findProblems(page)).toEqual([]);

	// back to its beginning
	await panel(page).getByRole('button', { name: 'Load older events' }).click();
	await expect(panel(page)).toContainText('The session began here.');
	expect((await steps(page)).slice(-2)).toEqual(['step n 59', 'page_view /start']);
	expect(await steps(page)).toHaveLength(62);

	// the address is enough, and back closes
	await page.goBack();
	await closed(page);
	expect(new URL(page.url()).search).toBe('?f=source:web');
	await page.goForward();
	await expect.poll(async () => (await steps(page))[0]).toBe('thanks /thanks');
	await page.reload();
	await expect.poll(async () => (await steps(page))[0]).toBe('thanks /thanks');

	// another session of the same user, and the keyboard's way out
	await panel(page).getByRole('listitem').getByRole('link').first().click();
	await expect.poll(() => steps(page)).toEqual(['order total 1']);
	await page.keyboard.press('Escape');
	await closed(page);
	await expect(feed(page)).toContainText('thanks');
});

test.describe('by a share link', () => {
	test.use({ env: { DASHBOARD_PUBLIC: 'false', DASHBOARD_PASSWORD: 'correct horse battery' } });

	test('only what the link shows is in the path, and a session without it is not there', async ({
		browser,
		server: { sql, url },
	}) => {
		const { token, hash } = createToken();
		await sql`insert into nowboard.share_links (hash, name, filter) values (${hash}, 'customer', '{source:shop}')`;
		await sql`insert into nowboard.events (name, source, session_id) values
			('ours', 'shop', 'both'), ('secret', 'web', 'both'), ('secret', 'web', 'theirs')`;
		// a phone: the panel is a sheet
		const context = await browser.newContext(devices['iPhone 13']);
		try {
			const page = await context.newPage();
			await page.goto(`${url}/s/${token}`);
			await openHydrated(page, `${url}/?session=both`);
			await expect.poll(() => steps(page)).toEqual(['ours']);
			expect(await findProblems(page)).toEqual([]);
			await panel(page).getByRole('button', { name: 'Close the session' }).click();
			await closed(page);
			await openHydrated(page, `${url}/?session=theirs`);
			await expect(panel(page)).toContainText('This session has no events.');
			await expect(panel(page)).not.toContainText('secret');
		} finally {
			await context.close();
		}
	});
});
