/**
 * Pages of others that embed the tracker: every address is answered from memory, so a case costs a tenth of a second.
 * `site.html` makes a page; what arrives at the collector is in `site.events`, one entry for each eventId.
 */
import { test as base, type Page } from '@playwright/test';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { bundleTracker } from '../../scripts/release/tracker-plugin';

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

export const COLLECTOR = 'https://now.example';
export const SCRIPT = `${COLLECTOR}/t.js`;
export const open = (page: Page, path = '/') => page.goto(`https://site.example${path}`);

let code: Promise<string> | undefined;

export const test = base.extend<{ site: GuestSite }>({
	launchOptions: chromiumLaunchOptions(),
	site: async ({ page, context }, use) => {
		const script = await (code ??= bundleTracker().then((built) => built.code));
		const site: GuestSite = {
			...{ html: () => undefined, tag: '', head: '', answer: () => 202 },
			...{ requests: 0, events: [], errors: [], warnings: [] },
		};
		page.on('pageerror', (error) => site.errors.push(`${error.name}: ${error.message}`));
		page.on('console', (message) => {
			if (message.text().startsWith('nowboard:')) site.warnings.push(message.text());
		});
		const cors = { 'access-control-allow-origin': '*' };
		await context.route('**', async (route) => {
			const request = route.request();
			const url = new URL(request.url());
			if (request.method() === 'POST') {
				const answer = site.answer(++site.requests);
				if (answer === 'abort') return route.abort('blockedbyclient');
				if (answer < 300)
					for (const event of JSON.parse(request.postData() ?? '[]') as Arrived[])
						if (!site.events.some(({ eventId }) => eventId === event.eventId))
							site.events.push({ ...event, to: url.host });
				return route.fulfill({ status: answer, headers: cors, body: '{}' });
			}
			if (url.pathname.endsWith('/t.js'))
				return route.fulfill({ contentType: 'text/javascript', headers: cors, body: script });
			const html =
				site.html(url) ??
				`<title>At ${url.pathname}</title>${site.head}<script defer src="${SCRIPT}" ${site.tag}></script>`;
			return route.fulfill({ contentType: 'text/html', body: `<!doctype html>${html}` });
		});
		await use(site);
	},
});

export const call = (page: Page, name: string, properties?: unknown) =>
	page.evaluate(
		([name, properties]) =>
			(window as unknown as { nowboard: (...call: unknown[]) => void }).nowboard(name, properties),
		[name, properties],
	);
export const names = (site: GuestSite) => site.events.map(({ name }) => name);
export const paths = (site: GuestSite) => site.events.map(({ properties }) => properties?.['path']);
