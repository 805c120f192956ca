/**
 * A website, on an origin of its own, that embeds the tracker: a few pages and a small single-page app.
 * `site.tag` are further attributes of the script element, `site.head` is what stands before it. With
 * `data-host="/collector"` the site takes the events itself: how they travelled is seen from outside the browser.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { test as base } from './server';

export { expect } from './server';

export type Site = {
	url: string;
	tag: string;
	head: string;
	/** the pages say who is here: off, so that tests count requests with events */
	presence: boolean;
	/** what the collector was sent: mode of the request, content type, names of the events */
	received: [mode: unknown, type: unknown, names: string[]][];
};
export type Sent = {
	name: string;
	source: string;
	sessionId: string;
	properties: Record<string, unknown>;
};

/** A framework's way: the address first, then, when it has rendered, the title. */
const APP = `<a href="/app/a">A</a> <a href="/app/b">B</a> <a href="#one">One</a> <script>
	document.addEventListener('click', (event) => {
		const href = event.target.getAttribute('href');
		if (!href || href[0] === '#') return;
		event.preventDefault();
		history.pushState({}, '', href);
		setTimeout(() => (document.title = 'Page ' + href.slice(-1)));
	});
</script>`;

export const test = base.extend<{ site: Site; sent: () => Promise<Sent[]> }>({
	site: async ({ server }, use) => {
		const site: Site = { url: '', tag: '', head: '', presence: false, received: [] };
		const http = createServer((request, response) => {
			const { pathname } = new URL(request.url ?? '', 'http://site');
			if (request.method === 'POST')
				return void json(request).then((body) => {
					const { 'sec-fetch-mode': mode, 'content-type': type } = request.headers;
					site.received.push([mode, type, (body as Sent[]).map(({ name }) => name)]);
					response.writeHead(202).end();
				});
			const script = `<script defer src="${server.url}/t.js" ${site.tag} ${site.presence ? '' : 'data-presence="false"'}></script>`;
			const body = pathname.startsWith('/app') ? APP : `<a href="/pricing">Pricing</a>`;
			const frame = '<iframe sandbox="allow-scripts" src="/inside"></iframe>';
			response.setHeader('content-type', 'text/html; charset=utf-8').end(
				pathname === '/frame'
					? frame
					: `<!doctype html><title>At ${pathname}</title><link rel="icon" href="data:,">
						${site.head}${pathname === '/bare' ? '' : script}${body}`,
			);
		}).listen(0, '127.0.0.1');
		await once(http, 'listening');
		site.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
		await use(site);
		http.close();
		http.closeAllConnections();
	},

	sent: async ({ server }, use) =>
		use(
			() => server.sql<Sent[]>`
				select name, source, session_id as "sessionId", properties from nowboard.events order by id`,
		),
});
