/**
 * Pages of others that embed the tracker: every address is answered from memory. `site.html` makes a page; what arrives
 * at the collector is in `site.events`, one entry for each eventId. A table of cases runs in one test, several at once,
 * each in a browser context of its own; a failure names its cases.
 */
import { test as base, type Browser, type Page } from '@playwright/test';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { bundleTracker } from '../../scripts/release/tracker-plugin';
import { toPageView } from '../../src/lib/server/ingest/page-view';
import { PAGE_VIEW } from '../../src/lib/protocol';

export { expect } from '@playwright/test';

export type Arrived = {
	eventId: string;
	name: string;
	source: string;
	sessionId: string;
	properties?: Record<string, unknown>;
	/** the host that it was sent to */
	to: string;
};
export type GuestSite = {
	/** by host and path; other pages are a plain one with the script in its head */
	html: (url: URL) => string | undefined;
	/** further attributes of the script on a plain page */
	tag: string;
	/** stands before the script on a plain page */
	head: string;
	/** how the collector answers; `abort` as a blocker does */
	answer: (requests: number) => number | 'abort';
	requests: number;
	events: Arrived[];
	/** uncaught exceptions and unhandled rejections of any page */
	errors: string[];
	warnings: string[];
};
export type Guest = { page: Page; site: GuestSite };
/** By name: what happens on a page of its own. */
export type Cases = Record<string, (guest: Guest) => Promise<void>>;

export const COLLECTOR = 'https://now.example';
export const SCRIPT = `${COLLECTOR}/t.js`;
export const open = (page: Page, path = '/') => page.goto(`https://site.example${path}`);

const CORS = { 'access-control-allow-origin': '*' };
/** Most cases wait for a second of the tracker's own: while one waits, others work. */
const AT_ONCE = 8;

let code: Promise<string> | undefined;

/** Page views as the server stores them. */
const stored = ({ name, properties = {} }: Arrived) =>
	name === PAGE_VIEW ? { properties: toPageView(properties) } : {};

/** In a context of its own: nothing of one page reaches another. */
async function openGuest(browser: Browser): Promise<Guest & { close: () => Promise<void> }> {
	const script = await (code ??= bundleTracker().then((built) => built.code));
	const context = await browser.newContext();
	const page = await context.newPage();
	const site: GuestSite = {
		...{ html: () => undefined, tag: '', head: '', answer: () => 202 },
		...{ requests: 0, events: [], errors: [], warnings: [] },
	};
	page.on('pageerror', (error) => site.errors.push(`${error.name}: ${error.message}`));
	page.on('console', (message) => {
		if (message.text().startsWith('nowboard:')) site.warnings.push(message.text());
	});
	await context.route('**', async (route) => {
		const request = route.request();
		const url = new URL(request.url());
		// heartbeats are sent on every page, and tests count events
		if (url.pathname.endsWith('/api/presence'))
			return route.fulfill({ status: 202, headers: CORS, body: '{}' });
		if (request.method() === 'POST') {
			const answer = site.answer(++site.requests);
			if (answer === 'abort') return route.abort('blockedbyclient');
			if (answer < 300)
				for (const event of JSON.parse(request.postData() ?? '[]') as Arrived[])
					if (!site.events.some(({ eventId }) => eventId === event.eventId))
						site.events.push({ ...event, ...stored(event), to: url.host });
			return route.fulfill({ status: answer, headers: CORS, body: '{}' });
		}
		if (url.pathname.endsWith('/t.js'))
			return route.fulfill({ contentType: 'text/javascript', headers: CORS, body: script });
		const html =
			site.html(url) ??
			`<title>At ${url.pathname}</title>${site.head}<script defer src="${SCRIPT}" ${site.tag}></script>`;
		return route.fulfill({ contentType: 'text/html', body: `<!doctype html>${html}` });
	});
	return { page, site, close: () => context.close() };
}

type Fixtures = { guest: Guest; cases: (cases: Cases) => Promise<void> };

export const test = base.extend<Fixtures>({
	launchOptions: chromiumLaunchOptions(),

	guest: async ({ browser }, use) => {
		const { close, ...guest } = await openGuest(browser);
		await use(guest);
		await close();
		base.expect(guest.site.errors, 'errors of the page').toEqual([]);
	},

	cases: async ({ browser }, use, testInfo) =>
		use(async (cases) => {
			testInfo.setTimeout(900_000);
			const failures: string[] = [];
			const waiting = Object.entries(cases);
			async function work(): Promise<void> {
				const next = waiting.shift();
				if (!next) return;
				const [name, run] = next;
				const { close, ...guest } = await openGuest(browser);
				try {
					await run(guest);
					base.expect(guest.site.errors, 'errors of the page').toEqual([]);
				} catch (error) {
					failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
				} finally {
					await close();
				}
				return work();
			}
			await Promise.all(Array.from({ length: AT_ONCE }, work));
			base.expect(failures.join('\n\n'), 'cases that fail').toBe('');
		}),
});

export const call = (page: Page, name: string, properties?: unknown) =>
	page.evaluate(
		([name, properties]) =>
			(window as unknown as { nowboard: (...call: unknown[]) => void }).nowboard(name, properties),
		[name, properties],
	);
export const names = (site: GuestSite) => site.events.map(({ name }) => name);
export const paths = (site: GuestSite) => site.events.map(({ properties }) => properties?.['path']);
