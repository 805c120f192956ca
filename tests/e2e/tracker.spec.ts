import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { gunzipSync, gzipSync } from 'node:zlib';
import { devices, type Page, type Request } from '@playwright/test';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { createKey } from '../../src/lib/server/keys/key-store';
import { expect, test, type Sent, type Site } from './tracker-site';

const launch = chromiumLaunchOptions();
// Playwright switches the back-forward cache off, and visitors have it on; a browser without a head says so, and with a public key
// robots are not recorded
test.use({
	launchOptions: {
		...launch,
		args: [...launch.args, `--user-agent=${devices['Desktop Chrome'].userAgent}`],
		ignoreDefaultArgs: ['--disable-back-forward-cache'],
	},
});

// many that wait: one after another they would end last
test.describe.configure({ mode: 'parallel' });

/** What a page of the site sees as the global. */
type Global = { nowboard: (name: string, properties?: unknown) => void };
const track = (page: Page, name: string, properties?: unknown) =>
	page.evaluate(
		([name, properties]) =>
			(window as unknown as Global).nowboard(name as string, properties as object),
		[name, properties],
	);
const paths = (events: Sent[]) => events.map(({ properties }) => properties.path);
const names = (events: Sent[]) => events.map(({ name }) => name);
/** As docs/tracker.md says. */
const MAX_BYTES = 2_300;
const TEXT = 'text/plain;charset=UTF-8';
const CORS = { 'access-control-allow-origin': '*' };

test('the script is small, cacheable, and may be loaded by any page', async ({ server }) => {
	const ask = async (method: string, headers: Record<string, string> = {}) => {
		const request = httpRequest(`${server.url}/t.js`, { method, headers }).end();
		const [response] = await once(request, 'response');
		const chunks: Buffer[] = [];
		for await (const chunk of response) chunks.push(chunk as Buffer);
		return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
	};
	const plain = await ask('GET');
	const zipped = await ask('GET', { 'accept-encoding': 'br, gzip' });
	expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
	expect(zipped.body.length, 'on the wire').toBeLessThanOrEqual(MAX_BYTES);
	expect(gzipSync(plain.body).length, 'by a proxy').toBeLessThanOrEqual(MAX_BYTES);
	expect(zipped.headers).toMatchObject({
		'content-type': 'text/javascript; charset=utf-8',
		'content-encoding': 'gzip',
		'cache-control': 'public, max-age=3600',
		'access-control-allow-origin': '*',
		'cross-origin-resource-policy': 'cross-origin',
		vary: 'Accept-Encoding',
	});
	const refused = await ask('GET', { 'accept-encoding': 'gzip;q=0' });
	expect(refused.headers).not.toHaveProperty('content-encoding');
	const head = await ask('HEAD');
	expect([head.status, head.body.length]).toEqual([200, 0]);
	expect(plain.headers.etag).not.toBe(zipped.headers.etag);
	// weak: the server compresses what is worth it
	const strong = plain.headers.etag?.replace(/^W\//, '');
	for (const tag of [plain.headers.etag, strong, `"other", W/${strong}`, '*']) {
		const again = await ask('GET', { 'if-none-match': tag });
		expect([tag, again.status, again.body.length]).toEqual([tag, 304, 0]);
		expect(again.headers['access-control-allow-origin']).toBe('*');
	}
	expect((await ask('GET', { 'if-none-match': '"other"' })).status).toBe(200);
});

test('a page view says where, what, from where, and nothing of the rest of the query', async ({
	page,
	site,
	sent,
}) => {
	await page.goto(`${site.url}/pricing?token=secret&utm_source=news&utm_campaign=may#secret`, {
		referer: 'https://search.example/find?q=secret',
	});
	await expect.poll(sent).toEqual([
		{
			name: 'page_view',
			source: '127.0.0.1',
			sessionId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
			properties: {
				url: `${site.url}/pricing`,
				path: '/pricing',
				title: 'At /pricing',
				referrer: 'https://search.example/find',
				utm_source: 'news',
				utm_campaign: 'may',
			},
		},
	]);
});

test('from page to page of one site: one session, no referrer, no cookie', async ({
	page,
	context,
	site,
	sent,
}) => {
	const messages: string[] = [];
	page.on('console', (message) => messages.push(message.text()));
	await page.goto(site.url);
	await expect.poll(async () => paths(await sent())).toEqual(['/']);
	await page.getByRole('link', { name: 'Pricing' }).click();
	await expect.poll(async () => paths(await sent())).toEqual(['/', '/pricing']);
	const events = await sent();
	expect(events[1]?.properties).not.toHaveProperty('referrer');
	expect(new Set(events.map(({ sessionId }) => sessionId)).size).toBe(1);
	expect(await context.cookies()).toEqual([]);
	expect(messages).toEqual([]);
});

test('a single-page app: a view for each new path, with the title that comes after', async ({
	page,
	site,
	sent,
}) => {
	await page.goto(`${site.url}/app`, { referer: 'https://search.example/' });
	await expect.poll(async () => paths(await sent())).toEqual(['/app']);
	await page.getByRole('link', { name: 'A', exact: true }).click();
	await expect.poll(async () => paths(await sent())).toEqual(['/app', '/app/a']);
	// neither is another page
	await page.evaluate(() => history.replaceState({}, '', '?tab=2'));
	await page.getByRole('link', { name: 'One' }).click();
	await page.getByRole('link', { name: 'B', exact: true }).click();
	await expect.poll(async () => paths(await sent())).toHaveLength(3);
	await page.evaluate(() => history.replaceState({}, '', '/app/c'));
	await expect.poll(async () => paths(await sent())).toHaveLength(4);
	await page.evaluate(() => history.go(-2));
	await expect
		.poll(async () => paths(await sent()))
		.toEqual(['/app', '/app/a', '/app/b', '/app/c', '/app/a']);
	const [first, second] = await sent();
	expect(first?.properties.referrer).toBe('https://search.example/');
	expect(second?.properties).toEqual({
		url: `${site.url}/app/a`,
		path: '/app/a',
		title: 'Page a',
	});
});

test('data-hash: a view for each new hash', async ({ page, site, sent }) => {
	site.tag = 'data-hash';
	await page.goto(`${site.url}/app`);
	await page.getByRole('link', { name: 'One' }).click();
	await page.evaluate(() => (location.hash = 'two'));
	await expect.poll(async () => paths(await sent())).toEqual(['/app', '/app#one', '/app#two']);
	expect((await sent())[1]?.properties.url).toBe(`${site.url}/app#one`);
});

test('a custom event, and calls made before the script came', async ({ page, site, sent }) => {
	site.head = `<script>window.nowboard ??= Object.assign((...call) => nowboard.q.push(call), { q: [] })</script>
		<script>nowboard('early', { step: 1 })</script>`;
	await page.goto(site.url);
	await track(page, 'signup', { plan: 'pro' });
	await expect
		.poll(async () => (await sent()).map(({ name, properties }) => [name, properties]))
		.toEqual([
			['page_view', expect.objectContaining({ path: '/' })],
			['early', { step: 1 }],
			['signup', { plan: 'pro' }],
		]);
});

test('what happens in one moment travels in one request', async ({ page, site, sent }) => {
	const posts: Request[] = [];
	page.on('request', (request) => request.method() === 'POST' && posts.push(request));
	await page.goto(site.url);
	await expect.poll(sent).toHaveLength(1);
	await page.evaluate(() => {
		for (const name of ['a', 'b', 'c']) (window as unknown as Global).nowboard(name);
	});
	await expect.poll(async () => names(await sent())).toEqual(['page_view', 'a', 'b', 'c']);
	expect(posts).toHaveLength(2);
});

test('30 minutes of silence end the session, less do not', async ({ page, site, sent }) => {
	await page.clock.install();
	await page.goto(site.url);
	await page.clock.fastForward('29:00');
	await track(page, 'same');
	await page.clock.fastForward('29:00');
	await track(page, 'still the same');
	await page.clock.fastForward('31:00');
	await track(page, 'another');
	await page.clock.fastForward('00:01');
	await expect
		.poll(async () => names(await sent()))
		.toEqual(['page_view', 'same', 'still the same', 'another']);
	const [first, second, third, fourth] = (await sent()).map(({ sessionId }) => sessionId);
	expect([second, third]).toEqual([first, first]);
	expect(fourth).not.toBe(first);
});

test.describe('leaving', () => {
	const leave = (page: Page, url: string) =>
		page.evaluate((url) => {
			(window as unknown as Global).nowboard('leaving');
			location.href = url;
		}, url);

	/** Its clock stands still once the page view is sent: no timer sends what comes then. */
	async function openStill(page: Page, site: Site) {
		site.tag = 'data-host="/collector"';
		await page.clock.install();
		await page.goto(site.url);
		await page.clock.pauseAt(Date.now() + 60_000);
		await expect.poll(() => site.received).toHaveLength(1);
	}
	/** How what was called on leaving travelled; a view whose answer had not reached the page goes along. */
	const last = (site: Site) =>
		site.received
			.filter(([, , names]) => names.includes('leaving'))
			.map(([mode, type]) => [mode, type]);

	test('the last event goes by beacon, as plain text that needs no preflight', async ({
		page,
		site,
	}) => {
		await openStill(page, site);
		await leave(page, `${site.url}/bare`);
		await expect.poll(() => last(site)).toEqual([['no-cors', TEXT]]);
		expect(site.received[0]).toEqual(['cors', TEXT, ['page_view']]);
	});

	for (const [what, script] of [
		['refuses', 'navigator.sendBeacon = () => false'],
		['is missing', 'navigator.sendBeacon = undefined'],
	] as const)
		test(`a fetch that outlives the page, where sendBeacon ${what}`, async ({ page, site }) => {
			await page.addInitScript(script);
			await openStill(page, site);
			await leave(page, `${site.url}/bare`);
			await expect.poll(() => last(site)).toEqual([['cors', TEXT]]);
		});

	test.describe('while the server is away', () => {
		test.use({ ownServer: true });

		test('a beacon that was not received is repeated by the next page of the tab', async ({
			page,
			server,
			site,
			sent,
		}) => {
			await page.goto(site.url);
			await expect.poll(sent).toHaveLength(1);
			await server.kill('SIGKILL');
			await leave(page, `${site.url}/bare`);
			await page.waitForURL('**/bare');
			await server.start();
			await page.goto(`${site.url}/pricing`);
			await expect
				.poll(async () => names(await sent()))
				.toEqual(['page_view', 'leaving', 'page_view']);
		});
	});
});

test.describe('trouble', () => {
	test.describe('with a server that stops', () => {
		test.use({ ownServer: true });

		test('a server that is away gets the event when it is back, once', async ({
			page,
			server,
			site,
			sent,
		}) => {
			await page.goto(site.url);
			await expect.poll(sent).toHaveLength(1);
			await server.kill('SIGKILL');
			const failed = page.waitForEvent('requestfailed');
			await track(page, 'meanwhile');
			await failed;
			await server.start();
			await expect.poll(async () => names(await sent())).toEqual(['page_view', 'meanwhile']);
		});

		test('a tab that is looked at again sends what its lost beacon held', async ({
			page,
			server,
			site,
			sent,
		}) => {
			const look = (visibilityState: string) =>
				page.evaluate((value) => {
					Object.defineProperty(Document.prototype, 'hidden', {
						value: value === 'hidden',
						configurable: true,
					});
					document.dispatchEvent(new Event('visibilitychange'));
				}, visibilityState);
			await page.clock.install();
			await page.goto(site.url);
			await expect.poll(sent).toHaveLength(1);
			// the clock stands still: no timer sends this
			await page.clock.pauseAt(Date.now() + 60_000);
			await server.kill('SIGKILL');
			await track(page, 'looked away');
			await look('hidden');
			await server.start();
			await look('visible');
			await expect.poll(async () => names(await sent())).toEqual(['page_view', 'looked away']);
		});
	});

	test('a browser that was offline sends when it is online, and says when it happened', async ({
		page,
		context,
		site,
		sent,
	}) => {
		const bodies: { name: string; timestamp: number | null }[][] = [];
		page.on('requestfinished', (request) => {
			if (request.method() === 'POST') bodies.push(request.postDataJSON() as (typeof bodies)[0]);
		});
		await page.clock.install();
		await page.goto(site.url);
		await expect.poll(sent).toHaveLength(1);
		await context.setOffline(true);
		const failed = page.waitForEvent('requestfailed');
		const before = await page.evaluate(() => Date.now());
		await track(page, 'offline');
		await failed;
		const failedAgain = page.waitForEvent('requestfailed');
		await page.clock.pauseAt(Date.now() + 60_000);
		await failedAgain;
		// the clock stands still: no timer sends this
		await context.setOffline(false);
		await expect.poll(async () => names(await sent())).toEqual(['page_view', 'offline']);
		// the page hears of its answer a moment after the table
		await expect.poll(() => bodies).toHaveLength(2);
		const [[view] = [], [late] = []] = bodies;
		expect(view?.timestamp).toBeNull();
		expect((late?.timestamp ?? 0) - before).toBeLessThan(10_000);
	});

	test('an event that was taken, but answered 503, is sent again and counted once', async ({
		page,
		server,
		site,
		sent,
	}) => {
		const answers: number[] = [];
		await page.route(`${server.url}/api/events`, async (route) => {
			const answer = await route.fetch();
			const status = answers.length === 0 ? 503 : answer.status();
			await route.fulfill({ status, headers: CORS, body: await answer.text() });
			answers.push(status);
		});
		await page.goto(site.url);
		await expect.poll(() => answers).toEqual([503, 202]);
		expect(await sent()).toHaveLength(1);
	});

	test('what came too often waits a minute, goes with what came meanwhile, and counts once', async ({
		page,
		server,
		site,
		sent,
	}) => {
		const answers: number[] = [];
		await page.clock.install();
		await page.route(`${server.url}/api/events`, async (route) => {
			const isFirst = answers.length === 0;
			answers.push(isFirst ? 429 : 202);
			const refused = { status: 429, headers: CORS, body: '{}' };
			await (isFirst ? route.fulfill(refused) : route.continue());
		});
		await page.goto(site.url);
		await page.clock.runFor(150);
		await expect.poll(() => answers).toEqual([429]);
		await track(page, 'meanwhile');
		await page.clock.runFor(59_000);
		expect(answers).toEqual([429]);
		await page.clock.runFor(4_000);
		await expect.poll(async () => names(await sent())).toEqual(['page_view', 'meanwhile']);
		expect(answers).toEqual([429, 202]);
	});

	test('a wrong event is named to the developer, and takes no other with it', async ({
		page,
		site,
		sent,
	}) => {
		const warnings: string[] = [];
		page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
		await page.goto(site.url);
		await page.evaluate(() => {
			const { nowboard } = window as unknown as Global;
			const circle: { self?: unknown } = {};
			circle.self = circle;
			nowboard('good');
			nowboard('bad', ['no object']);
			nowboard('worse', circle);
			nowboard('huge', { text: 'x'.repeat(50_000) });
			nowboard('good too');
		});
		await expect.poll(async () => names(await sent())).toEqual(['page_view', 'good', 'good too']);
		expect(warnings).toEqual([
			expect.stringMatching(/^nowboard: TypeError: .*circular/),
			expect.stringMatching(/^nowboard: too large/),
			expect.stringMatching(/^nowboard: .*properties must be an object/),
		]);
	});
});

test.describe('visitors who are not to be counted', () => {
	const setNavigator = (name: string, value: unknown) =>
		`Object.defineProperty(navigator, '${name}', { value: ${JSON.stringify(value)} })`;

	for (const [who, script, query, expected] of [
		['Global Privacy Control', setNavigator('globalPrivacyControl', true), '', []],
		['Do Not Track', setNavigator('doNotTrack', '1'), '', []],
		['?nowboard=ignore', '', '?nowboard=ignore', []],
		['(control) without a signal', '', '', ['page_view', 'custom', 'page_view']],
	] as const)
		test(`${who}: ${expected.length} events`, async ({ page, server, site, sent }) => {
			if (script) await page.addInitScript(script);
			await page.goto(`${site.url}/${query}`);
			await track(page, 'custom');
			await page.goto(`${site.url}/pricing`);
			const kept = await page.evaluate(() => sessionStorage.length);
			await page.goto(`${site.url}/bare`);
			// comes behind whatever the pages before it have sent
			await page.evaluate(
				(url) => navigator.sendBeacon(url, '{"name":"marker"}'),
				`${server.url}/api/events`,
			);
			await expect.poll(async () => names(await sent())).toContain('marker');
			expect(names(await sent())).toEqual([...expected, 'marker']);
			expect(kept > 0).toBe(expected.length > 0);
		});

	test('?nowboard=ignore holds for later visits, until ?nowboard=count', async ({
		page,
		site,
		sent,
	}) => {
		await page.goto(`${site.url}/?nowboard=ignore`);
		await page.goto(`${site.url}/pricing`);
		await page.goto(`${site.url}/?nowboard=count`);
		await page.goto(`${site.url}/app`);
		await expect.poll(async () => paths(await sent())).toEqual(['/', '/app']);
	});
});

test.describe('the attributes', () => {
	test('data-auto="false": only what the page sends, a page view of its own included', async ({
		page,
		site,
		sent,
	}) => {
		site.tag = 'data-auto="false"';
		await page.goto(`${site.url}/app`);
		await page.getByRole('link', { name: 'A', exact: true }).click();
		await track(page, 'page_view', { path: '/app/user', url: undefined });
		await expect
			.poll(sent)
			.toEqual([
				expect.objectContaining({ properties: expect.objectContaining({ path: '/app/user' }) }),
			]);
	});

	test('data-source names the site, data-host where to send', async ({
		page,
		server,
		site,
		sent,
	}) => {
		site.tag = `data-source="shop" data-host="${server.url.replace('localhost', '127.0.0.1')}"`;
		const posted = page.waitForRequest((request) => request.method() === 'POST');
		await page.goto(site.url);
		expect((await posted).url()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/events$/);
		await expect.poll(async () => (await sent()).map(({ source }) => source)).toEqual(['shop']);
	});

	test('included twice, it counts once', async ({ page, site, sent, server }) => {
		site.head = `<script defer src="${server.url}/t.js" data-presence="false"></script>`;
		await page.goto(site.url);
		await track(page, 'after');
		await expect.poll(async () => names(await sent())).toEqual(['page_view', 'after']);
	});
});

test.describe('where events need a key', () => {
	test.use({ env: { INGEST_OPEN: 'false' } });

	test('data-key sends it, by fetch and by beacon, for events of its source; without it nothing arrives', async ({
		page,
		server,
		site,
		sent,
	}) => {
		const warnings: string[] = [];
		page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
		await page.goto(site.url);
		await expect.poll(() => warnings).toEqual([expect.stringContaining('npm run keys -- create')]);

		const { key } = await createKey(
			server.sql,
			{ kind: 'public', source: 'shop', name: 'shop', origins: [site.url] },
			'command',
		);
		site.tag = `data-key="${key}"`;
		await page.goto(`${site.url}/pricing`);
		await expect.poll(async () => paths(await sent())).toEqual(['/pricing']);
		await track(page, 'leaving');
		await page.goto(`${site.url}/bare`);
		await expect.poll(async () => names(await sent())).toEqual(['page_view', 'leaving']);
		expect(new Set((await sent()).map(({ source }) => source))).toEqual(new Set(['shop']));
		expect(warnings).toHaveLength(1);
	});
});

test('where storage is blocked, a session lasts as long as the page', async ({
	page,
	site,
	sent,
}) => {
	site.tag = 'data-frames';
	await page.goto(`${site.url}/frame`);
	const frame = page.frame({ url: /inside/ });
	const blocked = await frame?.evaluate(() => {
		(window as unknown as Global).nowboard('custom');
		try {
			return sessionStorage.length;
		} catch (error) {
			return (error as Error).name;
		}
	});
	expect(blocked).toBe('SecurityError');
	await expect.poll(async () => names(await sent())).toEqual(['page_view', 'custom']);
	expect(new Set((await sent()).map(({ sessionId }) => sessionId)).size).toBe(1);
});

test('a page from the back-forward cache is viewed again', async ({ page, site, sent }) => {
	await page.addInitScript(() =>
		addEventListener('pageshow', ({ persisted }) => persisted && console.log('restored')),
	);
	const restored = page.waitForEvent('console', (message) => message.text() === 'restored');
	await page.goto(site.url);
	await page.goto(`${site.url}/bare`);
	await page.evaluate(() => history.back());
	await restored;
	await expect.poll(async () => paths(await sent())).toEqual(['/', '/']);
});

test('a page that is prerendered counts when it is shown, with what it did before', async ({
	page,
	site,
	sent,
}) => {
	await page.addInitScript(() =>
		Object.defineProperty(Document.prototype, 'prerendering', { value: true, configurable: true }),
	);
	const posts: string[] = [];
	page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
	await page.goto(site.url);
	await track(page, 'before');
	expect([posts, await page.evaluate(() => sessionStorage.length)]).toEqual([[], 0]);
	await page.evaluate(() => document.dispatchEvent(new Event('prerenderingchange')));
	await expect.poll(async () => names(await sent())).toEqual(['page_view', 'before']);
});
