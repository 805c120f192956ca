/** What the first view costs: bytes of JavaScript, and what moves or complains while the page comes alive. */
import { gzipSync } from 'node:zlib';
import type { Page, Response } from '@playwright/test';
import { drawChart, expectHydrated, feed, figure, openLive, post } from './board';
import { expect, test } from './server';

test.use({ contextOptions: { reducedMotion: 'no-preference' }, ownServer: true });

const MAX_FIRST_VIEW_BYTES = 120 * 1024;
/** A tenth of what is called good (web.dev/cls). */
const MAX_LAYOUT_SHIFT = 0.01;

type Script = { path: string; bytes: number; startedAt: number };

/** Path → milliseconds since navigation; `paint` is the first paint with content. */
const readTimes = (page: Page) =>
	page.evaluate(() => ({
		paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
		started: Object.fromEntries(
			performance
				.getEntriesByType('resource')
				.map(({ name, startTime }) => [new URL(name).pathname, startTime]),
		),
	}));

test('the first view needs at most 120 KB of JavaScript, and the chart’s library comes with the cursor', async ({
	page,
	server,
}, testInfo) => {
	const responses: Response[] = [];
	page.on('response', (response) => responses.push(response));
	await post(server, { name: 'page_view' });
	await openLive(page);
	await expectHydrated(page);
	await expect(page.getByTestId('trace')).toHaveAttribute('data-drawn', 'server');
	await drawChart(page);

	const { paint, started } = await readTimes(page);
	const scripts: Script[] = await Promise.all(
		responses
			.map((response) => ({ response, path: new URL(response.url()).pathname }))
			.filter(({ path }) => path.endsWith('.js'))
			.map(async ({ response, path }) => ({
				path,
				bytes: gzipSync(await response.body()).length,
				startedAt: started[path] ?? 0,
			})),
	);
	const list = scripts.map((script) => Object.values(script).join('\t')).join('\n');
	await testInfo.attach('scripts', { body: `painted after ${paint} ms\n${list}` });
	const sum = (some: Script[]) => some.reduce((bytes, script) => bytes + script.bytes, 0);
	const first = scripts.filter(({ startedAt }) => startedAt <= paint);
	const later = scripts.filter(({ startedAt }) => startedAt > paint);
	expect(sum(first), list).toBeLessThanOrEqual(MAX_FIRST_VIEW_BYTES);
	// a control: both halves were seen
	expect(first.some(({ path }) => path.includes('/entry/'))).toBe(true);
	expect(sum(later), 'the chart').toBeGreaterThan(20 * 1024);
});

type Shift = { value: number; outside: string[]; outsideValue: number };

test('nothing shifts and the console stays empty while the page comes alive; then only the feed moves', async ({
	page,
	server,
}) => {
	const messages: string[] = [];
	page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
	await page.addInitScript(() => {
		type Source = { node: Node | null; previousRect: DOMRect; currentRect: DOMRect };
		type Entry = PerformanceEntry & { value: number; sources: Source[] };
		const shifts: Shift[] = [];
		Object.assign(window, { shifts });
		const isOutside = (node: Node | null) =>
			node !== null && !(node instanceof Element ? node : node.parentElement)?.closest('.feed-box');
		/** As the browser counts a shift: the part of the window that it touches, and how far it goes. The feed may move in the same frame. */
		function addShift(sum: number, { previousRect: a, currentRect: b }: Source): number {
			const [width, height] = [innerWidth, innerHeight];
			const area = (a.width * a.height + b.width * b.height) / (width * height);
			const distance = Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y));
			return sum + (area * distance) / Math.max(width, height);
		}
		new PerformanceObserver((list) => {
			for (const { value, sources } of list.getEntries() as Entry[]) {
				const outside = sources.filter(({ node }) => isOutside(node));
				const names = outside.map(({ node }) => (node as Element).outerHTML ?? node?.textContent);
				shifts.push({ value, outside: names, outsideValue: outside.reduce(addShift, 0) });
			}
		}).observe({ type: 'layout-shift', buffered: true });
	});
	const readShifts = () => page.evaluate(() => (window as unknown as { shifts: Shift[] }).shifts);
	const sum = (shifts: { value: number }[]) => shifts.reduce((sum, { value }) => sum + value, 0);

	await post(server, { name: 'page_view', sessionId: 'a' });
	await openLive(page);
	await drawChart(page);
	const alive = await readShifts();
	expect(sum(alive), JSON.stringify(alive)).toBeLessThan(MAX_LAYOUT_SHIFT);

	for (let count = 1; count <= 8; count++) {
		await post(server, { name: 'click', sessionId: 'a', properties: { count } });
		await expect(feed(page).locator('summary')).toHaveCount(count + 1);
	}
	await fetch(`${server.url}/api/presence`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ sessionId: 'a', source: 'web', path: '/' }),
	});
	await expect(figure(page, 'Here now')).toHaveText('1');
	const later = (await readShifts()).slice(alive.length);
	const outside = later.map(({ outside }) => outside).flat();
	const moved = later.map(({ outsideValue: value }) => ({ value }));
	expect(sum(moved), outside.join('\n')).toBeLessThan(MAX_LAYOUT_SHIFT);
	expect(messages).toEqual([]);
});
