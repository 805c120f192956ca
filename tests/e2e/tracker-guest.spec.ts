import type { Page } from '@playwright/test';
import {
	call,
	COLLECTOR,
	expect,
	names,
	open,
	paths,
	SCRIPT,
	test,
	type Cases,
	type Guest,
} from './guest-page';

const inline = async (page: Page) =>
	page.evaluate(async (src) => (0, eval)(await (await fetch(src)).text()), SCRIPT);

/** A case for each item. */
const forEach = <Item>(
	items: readonly Item[],
	name: (item: Item) => string,
	run: (item: Item, guest: Guest) => Promise<void>,
): Cases => Object.fromEntries(items.map((item) => [name(item), (guest) => run(item, guest)]));

test('the script works wherever it stands', async ({ cases }) => {
	const WHERE = [
		['as a module', `<script type="module" src="${SCRIPT}" data-source="shop"></script>`],
		['imported', `<script>nowboardConfig = { source: 'shop' }; import('${SCRIPT}')</script>`],
		['async', `<script async src="${SCRIPT}" data-source="shop"></script>`],
		[
			'in the body, under another address of its own',
			`<p></p><script src="${COLLECTOR}/a/t.js" data-host="${COLLECTOR}" data-source="shop"></script>`,
		],
		[
			'as text that a tag manager runs, with nowboardConfig',
			`<script>nowboardConfig = { host: '${COLLECTOR}', source: 'shop' }</script>`,
		],
	] as const;
	await cases(
		{
			...forEach(
				WHERE,
				([where]) => where,
				async ([where, html], { page, site }) => {
					site.html = () => html;
					await open({ page, site });
					if (where.startsWith('as text')) await inline(page);
					await expect.poll(() => site.events).toHaveLength(1);
					expect(site.events[0]).toMatchObject({ to: 'now.example', source: 'shop' });
				},
			),
			'as text without nowboardConfig it says once what is missing': async ({ page, site }) => {
				site.html = () => '<p></p>';
				await open({ page, site });
				await inline(page);
				await call(page, 'custom');
				expect(site.warnings).toEqual([expect.stringContaining('nowboardConfig.host')]);
			},
			'under a Content-Security-Policy as the docs say': async ({ page, site }) => {
				site.head = `<meta http-equiv="content-security-policy"
				content="default-src 'none'; script-src ${COLLECTOR}; connect-src ${COLLECTOR}">`;
				await open({ page, site });
				await expect.poll(() => site.events).toHaveLength(1);
			},
		},
		{ apart: true },
	);
});

test('named elements change nothing on a page', async ({ cases }) => {
	const NAMED = ['title', 'referrer', 'currentScript', 'scripts', 'hidden', 'prerendering'];
	const METHODS = ['addEventListener', 'dispatchEvent', 'querySelectorAll'];
	const all = [...NAMED, ...METHODS];
	const TAGS = ['form', 'img', 'iframe srcdoc'];
	// each alone, the tags in turn, and all of them at once by each tag
	const elements = [
		...all.map((name, i) => ({ named: [name], tag: TAGS[i % TAGS.length]! })),
		...TAGS.map((tag) => ({ named: all, tag })),
	];
	await cases({
		...forEach(
			elements,
			({ named, tag }) => `<${tag} name="${named.join('|')}">`,
			async ({ named, tag }, { page, site }) => {
				site.head = named
					.map(
						(name) =>
							`<${tag} name="${name}" id="${name}" src="https://other.example/x.png"></${tag}>`,
					)
					.join('');
				await open({ page, site });
				await expect.poll(() => site.events).toHaveLength(1);
				expect(site.events[0]).toMatchObject({ to: 'now.example', properties: { title: 'At /' } });
			},
		),
		...forEach(
			['a', 'form', 'object', 'img', 'iframe srcdoc'],
			(tag) => `<${tag} id="nowboard|nowboardConfig">`,
			async (tag, { page, site }) => {
				site.head = ['nowboard', 'nowboardConfig']
					.map(
						(name) =>
							`<${tag} id="${name}" name="${name}" href="https://other.example/x"><input name="q"><input name="host" value="https://other.example"></${tag}>`,
					)
					.join('');
				await open({ page, site });
				await call(page, 'custom');
				await expect.poll(() => names(site)).toEqual(['page_view', 'custom']);
				expect(site.events.map(({ to }) => to)).toEqual(['now.example', 'now.example']);
			},
		),
	});
});

test('what old libraries and other scripts left behind changes nothing', async ({ cases }) => {
	const CONTENTS = ['[]', 'null', '{"a":1}', '[{"event":{"name":7}}]', 'x'.repeat(10_000)];
	await cases({
		'Array.prototype.toJSON, as in Prototype before 1.7': async ({ page, site }) => {
			site.head = `<script>Array.prototype.toJSON = function () { return '[' + this.join() + ']' }</script>`;
			await open({ page, site }, '/?utm_source=news');
			await call(page, 'cart', { items: ['a', 'b'], deep: [{ list: [1] }] });
			await expect.poll(() => names(site)).toEqual(['page_view', 'cart']);
			expect(site.events[0]?.properties?.['utm_source']).toBe('news');
			expect(site.events[1]?.properties).toEqual({ items: ['a', 'b'], deep: [{ list: [1] }] });
		},
		...forEach(
			CONTENTS,
			(content) => `foreign content under our keys: ${content.slice(0, 30)}`,
			async (content, { page, site }) => {
				site.head = `<script>for (const key of ['nowboard', 'nowboard.unsent']) {
					sessionStorage[key] = localStorage[key] = '${content}' }</script>`;
				await open({ page, site });
				await expect.poll(() => site.events).toHaveLength(1);
				expect(site.events[0]?.sessionId).toMatch(/^[\da-f-]{36}$/);
			},
		),
	});
});

test.describe('an endpoint that is blocked', () => {
	test('is given up after five requests, with one line, and the events are kept', async ({
		guest: { page, site },
	}) => {
		site.answer = () => 'abort';
		await page.clock.install();
		await open({ page, site });
		for (let minute = 0; minute < 10; minute++) await page.clock.runFor(60_000);
		for (let i = 0; i < 20; i++) {
			await call(page, `event ${i}`);
			for (const state of ['hidden', 'visible'])
				await page.evaluate((value) => {
					Object.defineProperty(Document.prototype, 'hidden', {
						value: value === 'hidden',
						configurable: true,
					});
					document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
				}, state);
			await page.clock.runFor(60_000);
		}
		expect(site.requests).toBe(5);
		expect(site.warnings).toEqual([expect.stringContaining('https://now.example/api/events')]);
		site.answer = () => 202;
		await open({ page, site }, '/next');
		await page.clock.runFor(2_000);
		await expect.poll(() => site.events).toHaveLength(22);
	});

	test('(control) a server that answered once is asked again and again', async ({
		guest: { page, site },
	}) => {
		site.answer = (requests) => (requests === 1 ? 503 : 'abort');
		await page.clock.install();
		const answered = page.waitForResponse((response) => response.status() === 503);
		await open({ page, site });
		await page.clock.runFor(2_000);
		// its fake time must not pass before the answer is there
		await (await answered).finished();
		const pass = () => page.clock.runFor(300_000).then(() => site.requests);
		await expect.poll(pass).toBeGreaterThan(10);
	});
});

test('a view', async ({ cases }) => {
	await cases({
		'keeps utm_* when the router replaced the address before the script came': async ({
			page,
			site,
		}) => {
			site.head = `<script>history.replaceState({}, '', '/')</script>`;
			await open({ page, site }, '/?utm_source=news&token=1');
			await expect.poll(() => site.events).toHaveLength(1);
			expect(site.events[0]?.properties).toEqual({
				...{ url: `${site.origin}/`, path: '/', title: 'At /', utm_source: 'news' },
			});
		},

		'keeps utm_* and is one when the router replaces the address after it came': async ({
			page,
			site,
		}) => {
			site.html = () => `<title>Home</title><script src="${site.script}"></script>
				<script>history.replaceState({}, '', '/en')</script>`;
			await open({ page, site }, '/?utm_source=news');
			await call(page, 'after');
			await expect.poll(() => names(site)).toEqual(['page_view', 'after']);
			expect(site.events[0]?.properties).toMatchObject({ path: '/en', utm_source: 'news' });
		},

		'has the title that comes within a second, and a redirect is one view': async ({
			page,
			site,
		}) => {
			await open({ page, site });
			await expect.poll(() => site.events).toHaveLength(1);
			await page.evaluate(() => {
				history.pushState({}, '', '/old');
				setTimeout(() => history.replaceState({}, '', '/new'), 50);
				setTimeout(() => (document.title = 'Late'), 700);
			});
			await expect.poll(() => paths(site)).toEqual(['/', '/new']);
			expect(site.events[1]?.properties?.['title']).toBe('Late');
		},

		'of a page that was left before keeps its own title': async ({ page, site }) => {
			await open({ page, site });
			await page.evaluate(() => {
				for (const name of ['a', 'b']) {
					history.pushState({}, '', `/${name}`);
					document.title = name;
				}
			});
			await expect.poll(() => paths(site)).toEqual(['/', '/a', '/b']);
			expect(site.events.map(({ properties }) => properties?.['title'])).toEqual([
				...['At /', 'a', 'b'],
			]);
		},

		'is one with and without the slash': async ({ page, site }) => {
			await open({ page, site }, '/a');
			await page.evaluate(() => history.pushState({}, '', '/a/'));
			await call(page, 'last');
			await expect.poll(() => names(site)).toEqual(['page_view', 'last']);
		},

		'with and without the slash are two with data-slash': async ({ page, site }) => {
			site.tag = 'data-slash';
			await open({ page, site }, '/a');
			await page.evaluate(() => history.pushState({}, '', '/a/'));
			await expect.poll(() => paths(site)).toEqual(['/a', '/a/']);
			expect(site.events.at(-1)?.properties?.['slash']).toBe(true);
		},

		'data-query keeps the named parameters': async ({ page, site }) => {
			site.tag = 'data-query="page_id,topic"';
			await open({ page, site }, '/?page_id=7&secret=1');
			await page.evaluate(() => history.pushState({}, '', '/?secret=2&page_id=8'));
			await expect.poll(() => paths(site)).toEqual(['/?page_id=7', '/?page_id=8']);
			expect(JSON.stringify(site.events)).not.toContain('secret');
		},

		'pushState gives the page what its own wrapper returns': async ({ page, site }) => {
			site.head = `<script>history.pushState = () => 'mine'</script>`;
			await open({ page, site });
			expect(await page.evaluate(() => history.pushState({}, '', '/a') as unknown)).toBe('mine');
		},

		'of its own sending has the late title too': async ({ page, site }) => {
			site.tag = 'data-auto="false"';
			await open({ page, site });
			await call(page, 'page_view');
			await page.evaluate(() => (document.title = 'Late'));
			await expect.poll(() => site.events).toHaveLength(1);
			expect(site.events[0]?.properties).toMatchObject({ path: '/', title: 'Late' });
		},
	});
});

test('what belongs to one site', async ({ cases }) => {
	const FRAMES = [
		['<iframe src="/inside"></iframe>', '', ['/']],
		['<iframe src="https://www.site.example/inside"></iframe>', '', ['/']],
		['<iframe src="/inside"></iframe>', 'data-frames', ['/', '/inside']],
		['<iframe src="https://other.example/inside"></iframe>', '', ['/', '/inside']],
		[`<iframe srcdoc="<script src='${SCRIPT}' data-frames></script>"></iframe>`, '', ['/']],
		['<iframe id="blank"></iframe>', '', ['/']],
	] as const;
	await cases(
		{
			'www and listed subdomains are no referrer, another site is': async ({ page, site }) => {
				site.tag = 'data-domains="site.example blog.site.example"';
				const hosts = ['www.site.example', 'site.example', 'blog.site.example', 'other.example'];
				for (const host of hosts)
					await page.goto(`https://site.example/${host}`, { referer: `https://${host}/from` });
				await expect.poll(() => site.events).toHaveLength(4);
				expect(site.events.map(({ properties }) => properties?.['referrer'])).toEqual([
					...[undefined, undefined, undefined, 'https://other.example/from'],
				]);
				await page.goto('https://www.site.example/');
				await expect.poll(() => site.events.at(-1)?.source).toBe('site.example');
			},
			...forEach(
				FRAMES,
				([frame, tag, expected]) => `${frame} ${tag}: ${expected.join(' ')}`,
				async ([frame, tag, expected], { page, site }) => {
					const script = `<script src="${SCRIPT}" ${tag}></script>`;
					site.html = ({ pathname }) =>
						pathname === '/' ? `${script}${frame}` : `<title>Inside</title>${script}`;
					await open({ page, site });
					await page.waitForLoadState('load');
					await call(page, 'last');
					await expect.poll(() => names(site)).toContain('last');
					await expect.poll(() => paths(site).filter(Boolean).sort()).toEqual([...expected]);
				},
			),
		},
		{ apart: true },
	);
});
