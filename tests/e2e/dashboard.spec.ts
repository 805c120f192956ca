import { feed, figure, openLive, post, status } from './board';
import { expect, test } from './server';

test.use({ contextOptions: { reducedMotion: 'no-preference' } });

test.describe('the first paint', () => {
	test.use({ javaScriptEnabled: false });

	test('reads without JavaScript: real figures and events', async ({ page, server }) => {
		await post(server, [
			{ name: 'page_view', sessionId: 'a', properties: { path: '/pricing' } },
			{ name: 'signup', sessionId: 'b' },
		]);
		await expect(async () => {
			await page.goto('/');
			await expect(figure(page, 'Events')).toHaveText('2', { timeout: 500 });
		}).toPass();
		await expect(figure(page, 'Page views')).toHaveText('1');
		await expect(figure(page, 'Active sessions')).toHaveText('2');
		await expect(feed(page)).toContainText('/pricing');
	});
});

test('nothing shifts on a phone while the page comes alive', async ({ page, server }) => {
	// as wide as its bar with the words "Live", and not with "Connecting"
	await page.setViewportSize({ width: 412, height: 823 });
	// the fonts come last
	let release = () => {};
	const released = new Promise<void>((resolve) => (release = resolve));
	await page.route('**/*.woff2', async (route) => {
		await released;
		await route.continue();
	});
	await post(server, { name: 'page_view', sessionId: 'a' });
	await page.addInitScript(() => {
		type Shift = PerformanceEntry & { value: number; sources: { node: Node | null }[] };
		const shifts: [value: number, moved: string][] = [];
		Object.assign(window, { shifts });
		new PerformanceObserver((list) => {
			for (const { value, sources } of list.getEntries() as Shift[]) {
				const moved = sources.map(({ node }) => node?.textContent?.trim().slice(0, 40));
				shifts.push([value, moved.join(' | ')]);
			}
		}).observe({ type: 'layout-shift', buffered: true });
	});
	// a page is loaded when its fonts are
	await page.goto('/', { waitUntil: 'commit' });
	await expect(status(page)).toHaveText('Live');
	// the chart comes after the first paint
	await expect(page.locator('main svg').first()).toBeVisible();
	release();
	await page.evaluate(async () => {
		await document.fonts.ready;
		await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
	});
	await post(server, { name: 'after' });
	await expect(feed(page)).toContainText('after');
	const shifts = await page.evaluate(
		() => (window as unknown as { shifts: [value: number, moved: string][] }).shifts,
	);
	const sum = shifts.reduce((sum, [value]) => sum + value, 0);
	expect(sum, JSON.stringify(shifts)).toBeLessThan(0.01);
});

test('the empty page says how to send the first event, and the first event replaces it', async ({
	page,
	server,
}) => {
	await openLive(page);
	await expect(page.getByText(`curl ${server.url}/api/events`)).toBeVisible();
	await server.sql`insert into nowboard.events (name, properties) values ('hello', '{"from": "sql"}')`;
	await expect(feed(page)).toContainText('hello');
	await expect(figure(page, 'Events')).toHaveText('1');
});

test('an event sent by HTTP and one by SQL move the figures and enter the feed, newest first', async ({
	page,
	server,
}) => {
	await openLive(page);
	await post(server, { name: 'page_view', sessionId: 's1', properties: { path: '/a' } });
	await expect(figure(page, 'Page views')).toHaveText('1');
	await server.sql`insert into nowboard.events (name, session_id) values ('order', 's2')`;
	await expect(figure(page, 'Events')).toHaveText('2');
	await expect(figure(page, 'Active sessions')).toHaveText('2');
	const rows = feed(page).getByRole('listitem');
	await expect(rows).toHaveCount(2);
	await expect(rows.nth(0)).toContainText('order');
	await expect(rows.nth(1)).toContainText('page_view');
	// the clocks' offset is measured first; the next event has a delay to show
	await expect(async () => {
		await post(server, { name: 'later' });
		await expect(page.getByText(/^Delay \d/)).toBeVisible({ timeout: 2_000 });
	}).toPass();
});

test('a card equals the sum of its table, and a source can be looked at alone', async ({
	page,
	server,
}) => {
	const views = (source: string, paths: string[]) =>
		paths.map((path) => ({
			name: 'page_view',
			source,
			properties: { path, referrer: 'https://www.news.test/x' },
		}));
	await post(server, views('web', ['/a', '/a', '/b', ...'cdefghij'.split('').map((p) => `/${p}`)]));
	await post(server, { name: 'order', source: 'shop' });
	await openLive(page);
	const table = async (name: string) => {
		const counts = await page
			.getByRole('list', { name })
			.locator('li span:last-child')
			.allInnerTexts();
		return counts.reduce((sum, count) => sum + Number(count), 0);
	};
	await expect(figure(page, 'Page views')).toHaveText('11');
	await expect.poll(() => table('Pages')).toBe(11);
	await expect.poll(() => table('Referrers')).toBe(11);
	await expect.poll(() => table('Event names')).toBe(12);
	await expect(page.getByRole('list', { name: 'Referrers' })).toContainText('news.test');

	await page.goto('/?source=shop');
	await expect(figure(page, 'Events')).toHaveText('1');
	await expect(feed(page).getByRole('listitem')).toHaveCount(1);
	await post(server, [{ name: 'order', source: 'shop' }, ...views('web', ['/z'])]);
	await expect(figure(page, 'Events')).toHaveText('2');
	await expect(feed(page).getByRole('listitem')).toHaveCount(2);
	await page.getByRole('link', { name: 'Remove: Source is shop' }).click();
	await expect(figure(page, 'Events')).toHaveText('14');
});

test('what senders write is text', async ({ page, server }) => {
	await openLive(page);
	await post(server, {
		name: '<img src=x onerror="throw new Error(1)">',
		properties: { '<b>': '<script>throw new Error(2)</script>' },
	});
	await expect(feed(page)).toContainText('<img src=x');
	await feed(page).locator('summary').first().click();
	await expect(feed(page)).toContainText('<script>');
	expect(await feed(page).locator('img, script, b').count()).toBe(0);
});

test('a property called __proto__ is one like any other, as it comes and when the page is loaded again', async ({
	page,
	server,
}) => {
	await openLive(page);
	const { status: answered } = await fetch(`${server.url}/api/events`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: '{"name":"strange","properties":{"__proto__":{"inner":true},"plan":"pro"}}',
	});
	expect(answered).toBe(202);
	for (const load of [() => Promise.resolve(), () => openLive(page)]) {
		await load();
		await expect(feed(page)).toContainText('strange');
		await expect(feed(page)).toContainText('__proto__');
		await expect(feed(page)).toContainText('"inner":true');
	}
});

test.describe('when the server or the database stops', () => {
	test.use({ ownServer: true });

	test('the server is killed and started again with events in between: each is there, once', async ({
		page,
		server,
	}) => {
		await openLive(page);
		await post(server, { name: 'before' });
		await expect(feed(page)).toContainText('before');
		await server.kill('SIGKILL');
		await expect(status(page)).toHaveText('Reconnecting');
		await server.sql`insert into nowboard.events (name) select 'between ' || i from generate_series(1, 5) i`;
		await server.start();
		// unless it has come back by itself meanwhile
		await page
			.getByRole('button', { name: 'Try now' })
			.click({ timeout: 3_000 })
			.catch(() => {});
		await expect(status(page)).toHaveText('Live', { timeout: 40_000 });
		await expect(figure(page, 'Events')).toHaveText('6');
		await post(server, { name: 'after' });
		await expect(figure(page, 'Events')).toHaveText('7');
		const names = await feed(page).locator('summary .name').allTextContents();
		expect(names.map((name) => name.trim())).toEqual([
			'after',
			'between 5',
			'between 4',
			'between 3',
			'between 2',
			'between 1',
			'before',
		]);
	});

	test('the server stops politely: the page waits, and comes back by itself', async ({
		page,
		server,
	}) => {
		await openLive(page);
		await server.kill('SIGTERM');
		expect(server.output()).not.toMatch(/"level":(50|60)/);
		await expect(status(page)).toHaveText('Reconnecting');
		// parts of the page that have not been loaded yet cannot be now
		const missing: string[] = [];
		page.on('console', (message) => {
			if (message.text().startsWith('A part of the page')) missing.push(message.text());
		});
		await page.locator('figure.chart').hover();
		await expect.poll(() => missing.length).toBeGreaterThan(0);
		await page.keyboard.press('/');
		await expect.poll(() => missing.length).toBeGreaterThan(1);
		await server.start();
		await expect(status(page)).toHaveText('Live', { timeout: 40_000 });
		await page.keyboard.press('/');
		await expect(page.getByRole('combobox')).toBeVisible();
	});

	test('the database goes away, and comes back read-only: the page says why, stays, and goes on by itself', async ({
		page,
		server,
	}) => {
		await post(server, { name: 'before' });
		await openLive(page);
		const { pathname } = new URL(server.databaseUrl);
		const database = pathname.slice(1);
		const admin = new URL(server.databaseUrl);
		admin.pathname = '/postgres';
		const { connect } = await import('../../src/lib/server/db/connect');
		const sql = connect(admin.href, { max: 1 });
		try {
			await sql`alter database ${sql(database)} allow_connections false`;
			await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${database}`;
			await expect(status(page)).toHaveText('No database');
			await expect(page.getByText('Postgres refuses the login')).toBeVisible();
			const refused = await post(server, { name: 'refused' });
			expect([refused.status, refused.headers.get('retry-after')]).toEqual([
				503,
				expect.any(String),
			]);
			await page.reload();
			await expect(feed(page)).toContainText('before');
			await sql`alter database ${sql(database)} set default_transaction_read_only = on`;
			await sql`alter database ${sql(database)} allow_connections true`;
			await expect(status(page)).toHaveText('Live', { timeout: 30_000 });
			expect((await post(server, { name: 'refused' })).status).toBe(503);
			await expect(page.getByText('Postgres is read-only.')).toBeVisible();
			const ready = await fetch(`${server.url}/readyz`);
			expect([ready.status, await ready.json()]).toEqual([
				200,
				{
					ready: true,
					missing: [],
					listener: 'up',
					reading: null,
					writing: 'readonly',
					fix: expect.stringContaining('RESET default_transaction_read_only'),
					clock: expect.any(String),
				},
			]);
		} finally {
			await sql`alter database ${sql(database)} reset default_transaction_read_only`;
			await sql`alter database ${sql(database)} allow_connections true`;
			await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${database}`;
			await sql.end({ timeout: 1 });
		}
		await expect(page.getByText('read-only')).toBeHidden({ timeout: 30_000 });
		await post(server, { name: 'after' });
		await expect(feed(page)).toContainText('after');
	});
});

test.describe('the demo', () => {
	test.use({ env: { NOWBOARD_DEMO: 'true' } });

	test('says that its data is simulated and that it is open, and can switch the simulator off', async ({
		page,
		server,
	}) => {
		await openLive(page);
		await expect(page.getByText('Data is simulated')).toBeVisible();
		await expect(
			page.getByText('Anyone who can open this page can view it and send events.'),
		).toBeVisible();
		expect((await fetch(`${server.url}/`)).status).toBe(200);
		expect((await post(server, { name: 'from outside' })).status).toBe(202);
		const running = () =>
			fetch(`${server.url}/api/demo`).then((answer) => answer.json() as Promise<unknown>);
		expect(await running()).toEqual({ running: true });
		await page.getByRole('switch').click();
		await expect.poll(running).toEqual({ running: false });
	});
});

test('dark and light are both there, and the choice is kept', async ({ page }) => {
	await openLive(page);
	const paper = () =>
		page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
	const light = await paper();
	await page.getByRole('radio', { name: /dark/i }).check({ force: true });
	await expect.poll(paper).not.toBe(light);
	const dark = await paper();
	await page.reload();
	await expect(status(page)).toHaveText('Live');
	expect(await paper()).toBe(dark);
	await page.getByRole('radio', { name: /light/i }).check({ force: true });
	await expect.poll(paper).toBe(light);
});
