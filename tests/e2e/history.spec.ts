/** Ranges of history on the page: by link and by switch, in the viewer's zone, beside a stream that goes on. */
import type { Page } from '@playwright/test';
import { countAll } from '../../src/lib/server/history/rollup';
import { findProblems } from './axe';
import { chart, feed, figure, openLive, post, status } from './board';
import { expect, test, type AppServer } from './server';

// sums and what is read of them are kept for seconds, in the table and in memory
test.use({ ownServer: true });

const ranges = (page: Page) => page.getByRole('navigation', { name: 'Range' });

/** An event every ten minutes for a hundred days, counted as the server does within some seconds. */
async function fill(server: AppServer) {
	await server.sql`
		insert into nowboard.events (name, source, session_id, created_at)
		select case when i % 2 = 0 then 'page_view' else 'click' end, 'web', 's' || i % 7, clock_timestamp() - i * interval '10 minutes'
		from generate_series(1, 14400) i`;
	await countAll(server.sql);
}

/** Numbers of the table that screen readers get, in order; null: not known. */
async function values(page: Page): Promise<(number | null)[]> {
	const cells = await chart(page).locator('tbody tr td:nth-child(2)').allTextContents();
	return cells.map((text) => (text === 'not known' ? null : Number(text.replaceAll(',', ''))));
}
const sum = (numbers: (number | null)[]) =>
	numbers.reduce<number>((all, one) => all + (one ?? 0), 0);

test('a linked range is shown, adds up to its card, and the stream goes on beside it', async ({
	page,
	server,
}) => {
	test.slow();
	await fill(server);
	await openLive(page, '/?range=7d');
	await expect(ranges(page).getByRole('link', { name: '7 days' })).toHaveAttribute(
		'aria-current',
		'page',
	);
	await expect(page.getByRole('heading', { name: 'Events per hour' })).toBeVisible();
	expect(await values(page)).toHaveLength(168);
	const readTotal = async () =>
		Number((await figure(page, 'Events').textContent())?.replaceAll(',', ''));
	// what was read before it was counted is read again after half a minute
	await expect.poll(readTotal, { timeout: 120_000 }).toBeGreaterThan(900);
	await expect.poll(async () => sum(await values(page)) - (await readTotal())).toBe(0);
	// the period before is as steady as this one
	await expect(page.getByRole('group', { name: 'Events', exact: true })).toContainText(
		/[±+−][01] % vs the 7 days before/,
	);
	await post(server, { name: 'while I look' });
	await expect(feed(page)).toContainText('while I look');
	await expect(status(page)).toHaveText('Live');
	// a figure that is pressed is drawn
	await page.getByRole('button', { name: /^Page views/ }).click();
	await expect(page.getByRole('heading', { name: 'Page views per hour' })).toBeVisible();
});

test('from range to range and back by keyboard, without a new stream', async ({ page, server }) => {
	test.slow();
	await fill(server);
	let streams = 0;
	page.on('request', (request) => (streams += Number(request.url().includes('/stream'))));
	await openLive(page);
	const before = streams;
	for (const [name, rows, title] of [
		['30 min', 30, 'Events per minute'],
		['24 h', 96, 'Events per 15 minutes'],
		['90 days', 90, 'Events per day'],
	] as const) {
		await ranges(page).getByRole('link', { name }).focus();
		await page.keyboard.press('Enter');
		await expect(page.getByRole('heading', { name: title })).toBeVisible();
		await expect.poll(async () => (await values(page)).length).toBe(rows);
		// the keyboard stays where it was
		await expect(ranges(page).getByRole('link', { name })).toBeFocused();
	}
	const slider = page.getByRole('slider', { name: 'Events per day: choose a time' });
	await slider.focus();
	await page.keyboard.press('ArrowLeft');
	await expect(slider).toHaveAttribute(
		'aria-valuetext',
		/: 144 events, 1\d\d in the 90 days before$|: 144 events$/,
	);
	await ranges(page).getByRole('link', { name: 'Live' }).click();
	await expect(chart(page).getByTestId('trace')).toBeVisible();
	expect(new URL(page.url()).search).toBe('');
	expect(streams).toBe(before);
});

test.describe('in Kathmandu', () => {
	test.use({ timezoneId: 'Asia/Kathmandu', locale: 'en-GB' });

	test('a day is that of the viewer', async ({ page, server }) => {
		await server.sql`insert into nowboard.events (name, created_at) values
			('x', date_trunc('day', now() - interval '5 days', 'Asia/Kathmandu')),
			('x', date_trunc('day', now() - interval '5 days', 'Asia/Kathmandu') - interval '1 second')`;
		await countAll(server.sql);
		await openLive(page, '/?range=90d');
		await expect
			.poll(async () => (await values(page)).slice(-8, -1), { timeout: 30_000 })
			.toEqual([null, 1, 1, null, null, null, null]);
		await expect(page.getByText('Where the line is broken, nothing was running.')).toBeVisible();
		await expect(page.getByText(/History begins on /)).toBeVisible();
	});
});

test('a filter: its events, and plainly no sessions', async ({ page, server }) => {
	await server.sql`insert into nowboard.events (name, source) select 'sale', 'shop' from generate_series(1, 3)`;
	await server.sql`insert into nowboard.events (name, source) select 'x', 'web' from generate_series(1, 4)`;
	await openLive(page, '/?source=shop&range=24h');
	await expect(figure(page, 'Events')).toHaveText('3', { timeout: 40_000 });
	await expect(figure(page, 'Most active sessions')).toHaveText('not known');
	await page.getByRole('button', { name: /^Most active/ }).click();
	await expect(page.getByText('there is no history of a part')).toBeVisible();
	// the links keep what the other has chosen
	await expect(page.getByRole('link', { name: 'Remove: Source is shop' })).toHaveAttribute(
		'href',
		'?range=24h',
	);
	await expect(ranges(page).getByRole('link', { name: 'Live' })).toHaveAttribute(
		'href',
		'?f=source:shop',
	);
});

test('history that cannot be read says so, keeps what was there, and comes back', async ({
	page,
	server,
}) => {
	test.slow();
	await fill(server);
	await page.clock.install();
	await openLive(page, '/?range=24h');
	await expect.poll(async () => sum(await values(page))).toBeGreaterThan(90);
	await page.route('**/api/dashboard/history*', (route) =>
		route.fulfill({ status: 503, body: '' }),
	);
	await page.clock.runFor(31_000);
	await expect(page.getByText('History could not be read: The server is not ready.')).toBeVisible();
	expect(sum(await values(page))).toBeGreaterThan(90);
	await page.unroute('**/api/dashboard/history*');
	await page.clock.runFor(6_000);
	await expect(page.getByText('History could not be read')).toBeHidden();
});

test.describe('without JavaScript', () => {
	test.use({ javaScriptEnabled: false });

	test('a range reads, and the switch is links', async ({ page, server }) => {
		await fill(server);
		await page.goto('/?range=7d');
		await expect(page.getByRole('heading', { name: 'Events per hour' })).toBeVisible();
		await ranges(page).getByRole('link', { name: '90 days' }).click();
		await expect(page.getByRole('heading', { name: 'Events per day' })).toBeVisible();
		expect(sum(await values(page))).toBeGreaterThan(12_000);
	});
});

// every form of the chart once, each theme and each width
for (const [colorScheme, width, drawn] of [
	['light', 1280, ['30min', '90d']],
	['dark', 390, ['24h', '7d']],
] as const)
	test.describe(`${colorScheme}, ${width} px`, () => {
		test.use({ colorScheme, viewport: { width, height: 844 } });

		test('axe finds nothing, and nothing scrolls sideways', async ({ page, server }) => {
			test.slow();
			await fill(server);
			for (const range of drawn) {
				await openLive(page, `/?range=${range}`);
				await expect(chart(page)).toBeVisible();
				expect({ range, found: await findProblems(page) }).toEqual({ range, found: [] });
				expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
					width,
				);
			}
		});
	});

test('what is asked wrongly is refused by name', async ({ server }) => {
	const ask = async (query: string) => {
		const response = await fetch(`${server.url}/api/dashboard/history?${query}`, {
			headers: { accept: 'application/json' },
		});
		return [response.status, ((await response.json()) as { message: string }).message];
	};
	expect(await ask('range=1y')).toEqual([
		400,
		'range is "1y": it must be one of 30min, 24h, 7d, 90d.',
	]);
	expect(await ask('range=7d&zone=Mars')).toEqual([
		400,
		'zone is "Mars": it must be an IANA time zone, such as Europe/Berlin.',
	]);
	expect(await ask('range=7d&f=colour:red')).toEqual([
		400,
		expect.stringContaining('names the unknown dimension "colour"'),
	]);
	expect(await ask('range=7d&source=a%00b')).toEqual([
		400,
		'The filter "source:a\\u0000b" has a character that no event can have.',
	]);
});
