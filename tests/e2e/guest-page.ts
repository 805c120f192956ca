/**
 * Pages of others that embed the tracker: every address is answered from memory. `site.html` makes a page; what arrives
 * at the collector is in `site.events`, one entry for each eventId. A table of cases runs in one test, several at once; a
 * failure names its cases. A case has an origin and a collector of its own: tabs are used again, which costs a sixth of
 * new ones, and what a case sends late reaches no other. `apart` gives each a browser context instead.
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
	/** where its pages are */
	origin: string;
	/** where the script is */
	script: string;
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
export const open = ({ page, site }: Guest, path = '/') => page.goto(site.origin + path);

const CORS = { 'access-control-allow-origin': '*' };
/** Most cases wait for a second of the tracker's own: while one waits, others work. */
const AT_ONCE = 4;
/** A page without the script: what the page before sends on leaving is sent. */
const LEFT = '/left';

let code: Promise<string> | undefined;

/** Page views as the server stores them. */
const stored = ({ name, properties = {} }: Arrived) =>
	name === PAGE_VIEW ? { properties: toPageView(properties) } : {};

type Tab = {
	/** @param name of the case, in its addresses; none: the plain addresses, for a tab that is used once */
	begin: (name?: string) => Guest;
	close: () => Promise<void>;
};
type Options = {
	/** each case in a context of its own, at the plain addresses */
	apart?: boolean;
	/** the pages' clocks are the test's */
	clock?: boolean;
};

async function openTab(browser: Browser, { clock = false }: Options = {}): Promise<Tab> {
	const script = await (code ??= bundleTracker().then((built) => built.code));
	const context = await browser.newContext();
	const page = await context.newPage();
	if (clock) await page.clock.install();
	let name: string | undefined;
	let site: GuestSite;
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
			const [, sender] = /^\/(case-\d+)\//.exec(url.pathname) ?? [];
			// of a case that has ended
			if (sender !== name) return route.abort();
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
			url.pathname === LEFT
				? ''
				: (site.html(url) ??
					`<title>At ${url.pathname}</title>${site.head}<script defer src="${site.script}" ${site.tag}></script>`);
		return route.fulfill({ contentType: 'text/html', body: `<!doctype html>${html}` });
	});
	return {
		begin(named) {
			name = named;
			site = {
				origin: name ? `https://${name}.site.example` : 'https://site.example',
				script: name ? `${COLLECTOR}/${name}/t.js` : SCRIPT,
				...{ html: () => undefined, tag: '', head: '', answer: () => 202 },
				...{ requests: 0, events: [], errors: [], warnings: [] },
			};
			return { page, site };
		},
		close: () => context.close(),
	};
}

async function check(run: Cases[string], guest: Guest): Promise<void> {
	await run(guest);
	await open(guest, LEFT);
	base.expect(guest.site.errors, 'errors of the page').toEqual([]);
}

type Fixtures = { guest: Guest; cases: (cases: Cases, options?: Options) => Promise<void> };

export const test = base.extend<Fixtures>({
	launchOptions: chromiumLaunchOptions(),

	guest: async ({ browser }, use) => {
		const tab = await openTab(browser);
		await check(use, tab.begin());
		await tab.close();
	},

	cases: async ({ browser }, use, testInfo) =>
		use(async (cases, options = {}) => {
			testInfo.setTimeout(900_000);
			const failures: string[] = [];
			const waiting = Object.entries(cases).map((one, i) => [...one, `case-${i}`] as const);
			async function work(): Promise<void> {
				let tab: Tab | undefined;
				for (let next = waiting.shift(); next; next = waiting.shift()) {
					const [name, run, address] = next;
					tab ??= await openTab(browser, options);
					let mayGoOn = !options.apart;
					try {
						await check(run, tab.begin(options.apart ? undefined : address));
					} catch (error) {
						failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
						mayGoOn = false;
					}
					if (mayGoOn) continue;
					await tab.close();
					tab = undefined;
				}
				await tab?.close();
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
