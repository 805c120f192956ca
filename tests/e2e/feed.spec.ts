/** The feed: frozen and back, older events under a filter, searched, a row as a tree, an event's own address. */
import type { Page } from '@playwright/test';
import { findProblems } from './axe';
import { eventNames, feed, openLive } from './board';
import { expect, test } from './server';

test.use({ contextOptions: { reducedMotion: 'no-preference' } });

const box = (page: Page) => page.locator('.feed-box');
/** The rows that are drawn; the last of them is the first of those that are drawn next, so that none is passed over. */
const scrollToLast = (page: Page) =>
	box(page).evaluate((element) => {
		const rows = [...element.querySelectorAll('.preview')];
		rows.at(-1)?.scrollIntoView();
		return rows.map((row) => row.textContent);
	});

test('scrolled away the feed stands still and counts; one press is back at the top with everything', async ({
	page,
	server,
}) => {
	await server.sql`insert into nowboard.events (name) select 'first ' || i from generate_series(1, 60) i`;
	await openLive(page);
	await expect(feed(page)).toContainText('first 60');
	await box(page).evaluate((element) => (element.scrollTop = 600));
	await expect(page.getByRole('button', { name: 'Back to top' })).toBeVisible();
	const before = await eventNames(page);
	await server.sql`insert into nowboard.events (name) select 'then ' || i from generate_series(1, 37) i`;
	await expect(page.getByRole('button', { name: 'Show 37 new' })).toBeVisible();
	expect(await eventNames(page)).toEqual(before);
	expect(await findProblems(page)).toEqual([]);
	await page.getByRole('button', { name: 'Show 37 new' }).click();
	await expect(feed(page)).toContainText('then 37');
	expect((await eventNames(page))[0]).toBe('then 37');
	// live again
	await server.sql`insert into nowboard.events (name) values ('after')`;
	await expect.poll(async () => (await eventNames(page))[0]).toBe('after');
});

test('older events under a filter equal SQL, and a search goes on in the table', async ({
	page,
	server,
}) => {
	await server.sql`insert into nowboard.events (name, properties, created_at)
		select case when i % 2 = 0 then 'even' else 'odd' end, jsonb_build_object('n', i, 'note', case when i = 7 then 'the needle' end),
			now() - interval '3 hours' + i * interval '1 second' from generate_series(1, 900) i`;
	const expected = await server.sql<{ n: number }[]>`
		select (properties ->> 'n')::int as n from nowboard.events where name = 'odd' order by tx desc, id desc`;
	await openLive(page, '/?f=name:odd');
	await expect(feed(page)).toContainText('899');
	const seen = new Set<number>();
	await expect(async () => {
		for (const text of await scrollToLast(page)) seen.add(Number(/n (\d+)/.exec(text)?.[1]));
		expect(seen.size).toBe(expected.length);
	}).toPass({ intervals: [20] });
	expect([...seen]).toEqual(expected.map(({ n }) => n));
	await expect(page.getByText('There are no older events.')).toBeVisible();

	await openLive(page);
	await page.getByRole('searchbox', { name: 'Search the feed' }).fill('NEEDLE');
	await expect(feed(page).locator('summary')).toHaveCount(0);
	await page.getByRole('searchbox').press('Enter');
	await expect(feed(page).locator('summary')).toHaveCount(1);
	await expect(feed(page)).toContainText('the needle');
	await expect(page.getByText('No older event matches.')).toBeVisible();
});

test('a row opens to a tree: a value is copied, and is a filter or its negation by keyboard', async ({
	page,
	server,
	context,
}) => {
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await server.sql`insert into nowboard.events (name, properties)
		values ('other', '{}'), ('order', '{"plan": "pro", "cart": {"items": [{"id": 12345678901234567890}]}}')`;
	await openLive(page);
	await feed(page).locator('summary', { hasText: 'order' }).press('Enter');
	await expect(feed(page)).toContainText('12345678901234567890');
	expect(await findProblems(page)).toEqual([]);
	await feed(page).getByRole('button', { name: 'Copy id', exact: true }).press('Enter');
	await expect
		.poll(() => page.evaluate(() => navigator.clipboard.readText()))
		.toBe('12345678901234567890');
	await feed(page).getByRole('link', { name: 'Exclude plan pro' }).press('Enter');
	await expect(page).toHaveURL(/\?f=-props\.plan:pro$/);
	await expect.poll(() => eventNames(page)).toEqual(['other']);
});

test('an event has an address, however old it is; an unknown one says so', async ({
	page,
	server,
}) => {
	const [row] = await server.sql<{ id: string }[]>`
		insert into nowboard.events (name, properties, created_at)
		values ('long ago', '{"plan": "pro"}', now() - interval '40 days') returning event_id as id`;
	await openLive(page, `/?f=name:other&event=${row?.id}`);
	const shown = page.getByRole('region', { name: 'long ago' });
	await expect(shown).toContainText('pro');
	expect(await findProblems(page)).toEqual([]);
	await shown.getByRole('link', { name: 'Close' }).click();
	await expect(shown).toBeHidden();
	await expect(page).toHaveURL(/\?f=name:other$/);
	for (const id of [crypto.randomUUID(), 'nonsense']) {
		await openLive(page, `/?event=${id}`);
		await expect(page.getByRole('region', { name: 'Unknown event' })).toContainText(
			'No event has this address.',
		);
	}
});
