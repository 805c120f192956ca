/**
 * Ten people in real browsers on a site of another origin: they come, read, go idle, follow a link, go back, close, leave, crash
 * and sleep. Dashboards of two instances show each of it; how long each took is printed.
 */
import { chromium, type Browser, type Page } from '@playwright/test';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { freePort } from '../../scripts/process/ports';
import { createAppServer } from '../setup/app-server';
import { figure, openLive } from './board';
import { expect, test } from './tracker-site';

const WAIT = { timeout: 300_000, intervals: [50] };
const PATHS = ['/closes', '/leaves', '/follows', '/crashes', '/sleeps'];
const READERS = 5;

/** "2 active · 1 idle" */
const states = async (page: Page) =>
	(
		await page
			.getByRole('group', { name: 'Here now', exact: true })
			.locator('.window')
			.textContent()
	)?.trim() ?? '';

/** The pages with people: "/pricing 2". */
async function pagesNow(page: Page): Promise<string[]> {
	const rows = page.getByRole('list', { name: 'Pages now' }).getByRole('listitem');
	const texts = await rows.evaluateAll((items) =>
		items
			.filter((item) => item.querySelector('.count'))
			.map((item) =>
				['.value', '.count'].map((part) => item.querySelector(part)?.textContent?.trim()).join(' '),
			),
	);
	return texts.sort();
}

/** A browser of its own, whose processes can be stopped as a laptop stops them. */
async function launchSleeper(): Promise<{
	browser: Browser;
	signal: (name: 'SIGSTOP' | 'SIGCONT') => void;
}> {
	const server = await chromium.launchServer(chromiumLaunchOptions());
	const browser = await chromium.connect(server.wsEndpoint());
	// Playwright starts it as the leader of a process group
	const group = -(server.process().pid as number);
	return { browser, signal: (name) => void process.kill(group, name) };
}

test.use({ ownServer: true });
test.setTimeout(1_800_000);
test('ten people, seen by two instances', async ({ page, context, server, site, browser }) => {
	site.presence = true;
	const second = createAppServer(await freePort(), server.databaseUrl);
	const sleeper = await launchSleeper();
	const visitors = await browser.newContext();
	const took: string[] = [];
	try {
		await second.start();
		const other = await context.newPage();
		await openLive(page, '/?by=path,host');
		await openLive(other, `${second.url}/?by=path,host`);
		/** Both dashboards show it. @param what is noted with the time that it took */
		async function both<T>(what: string, read: (page: Page) => Promise<T>, expected: T) {
			const began = Date.now();
			await Promise.all(
				[page, other].map((board) => expect.poll(() => read(board), WAIT).toEqual(expected)),
			);
			took.push(`${what}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
		}
		const shown = (...gone: string[]) =>
			[
				`/reads ${READERS}`,
				...PATHS.filter((path) => !gone.includes(path)).map((path) => `${path} 1`),
			].sort();

		const people: Page[] = [];
		for (const path of [...PATHS, ...Array<string>(READERS).fill('/reads')]) {
			const visitor = await (path === '/sleeps' ? sleeper.browser.newPage() : visitors.newPage());
			await visitor.goto(site.url + path);
			people.push(visitor);
		}
		const [closes, leaves, follows, crashes] = people as [Page, Page, Page, Page];
		await both('ten have come', pagesNow, shown());
		await both('all read', states, '0 active · 10 idle');

		await follows.getByRole('link', { name: 'Pricing' }).click();
		await both('a link', pagesNow, [...shown('/follows'), '/pricing 1'].sort());
		await follows.goBack();
		await both('back', pagesNow, shown());

		await closes.close();
		await both('a closed tab', pagesNow, shown('/closes'));
		await leaves.goto('about:blank');
		await both('another site', pagesNow, shown('/closes', '/leaves'));

		const session = await visitors.newCDPSession(crashes);
		session.send('Page.crash').catch(() => {});
		await both('a crash', pagesNow, shown('/closes', '/leaves', '/crashes'));

		sleeper.signal('SIGSTOP');
		await both(
			'a machine that sleeps',
			pagesNow,
			shown('/closes', '/leaves', '/crashes', '/sleeps'),
		);
		sleeper.signal('SIGCONT');
		await both('and wakes', pagesNow, shown('/closes', '/leaves', '/crashes'));

		await expect(figure(page, 'Here now')).toHaveText('7');
		await expect(figure(other, 'Here now')).toHaveText('7');
	} finally {
		console.log(took.join('\n'));
		sleeper.signal('SIGCONT');
		await sleeper.browser.close();
		await visitors.close();
		await second.kill('SIGTERM');
	}
});
