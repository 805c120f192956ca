/**
 * What `GET /t.js` serves: page views and the global `nowboard(name, properties)`, on a page of any origin. It imports
 * nothing of the app and is built apart, into one minified script (scripts/release/tracker-plugin.ts). It must not throw
 * into the page, set cookies, or send anything for visitors who ask not to be tracked. More in docs/tracker.md.
 */
import { attempt, listen, ofDocument, stored, toJson, warn } from './guest';
import { startOutbox } from './outbox';
import { isOn, toCampaign, toReferrer, toUrl, withoutWww, type Settings } from './page';
import { toSessionId, uuid } from './session';

type Properties = Record<string, unknown>;
type Call = [name: string, properties?: Properties];
/** `q`: calls that waited in the stub until this script came */
type Nowboard = { (...call: Call): void; q?: Call[] };
type Page = { nowboard?: Nowboard; nowboardConfig?: Settings };
type Visitor = { globalPrivacyControl?: boolean; doNotTrack?: string | null };
type Script = { src: string; dataset?: DOMStringMap };

/** Our key in localStorage (do not count me) and sessionStorage (the session). */
const KEY = 'nowboard';
const PAGE_VIEW = 'page_view';
/** Between two heartbeats of a visible page. */
const HERE_MS = 15_000;

attempt(() => {
	const { nowboard, nowboardConfig } = window as Page;
	// `<a id="nowboard">` is a member of window too
	const calls = typeof nowboard === 'function' ? nowboard.q : [];
	// included twice, it runs once
	if (!calls) return;
	/** what `nowboard()` does with a call: keeps it for the start */
	let take = (call: Call): unknown => calls.push(call);
	(window as Page).nowboard = (...call) => take(call);

	// a module has no currentScript, but its address is in its stack
	const address = /http\S+?\/t\.js[^\s:)]*/.exec(new Error().stack as string)?.[0] ?? '';
	const { src, dataset } =
		ofDocument<Script | null>('currentScript') ??
		[...ofDocument<Iterable<Script>>('scripts')!].find((script) => script.src === address) ??
		({ src: address } as Script);
	const settings: Settings = {
		// a server without presence says so before it (routes/t.js)
		host: src.replace(/[^/]*$/, ''),
		...nowboardConfig,
		...dataset,
	};
	const { host, key } = settings;
	const hosts = [location.host, settings.domains];
	const visitor = navigator as Visitor;
	/** one's own visits: `?nowboard=ignore`, until `?nowboard=count` */
	const wish = /[?&]nowboard=(ignore|count)/.exec(location.search)?.[1];
	if (!host) warn('no nowboardConfig.host');
	else if (
		visitor.globalPrivacyControl ||
		visitor.doNotTrack === '1' ||
		(stored(KEY, wish, 'localStorage') ?? wish) === 'ignore' ||
		// about:srcdoc and the like have no host; without ancestorOrigins, frames of all sites need data-frames
		(top !== window &&
			!(
				location.host &&
				(isOn(settings.frames) || toReferrer(location.ancestorOrigins?.[0], hosts))
			))
	)
		take = () => {};
	else if (ofDocument('prerendering')) listen('prerenderingchange', start);
	else start();

	function start() {
		const toAddress = () => toUrl(location, settings);
		const title = () => ofDocument('title');
		/** of the first page view alone: afterwards the visitor comes from the site itself */
		let arrival: Properties = {
			referrer: toReferrer(ofDocument('referrer'), hosts),
			// the site's router may have replaced the address by now
			utm: toCampaign(
				attempt(() => performance.getEntriesByType('navigation')[0]!.name) ?? location.href,
			),
		};
		let session: string;
		let url: string;
		/** the properties of the latest page view, while its title and address may change */
		let latest: Properties | undefined | 0;
		/** the properties of the page that is shown */
		let shown: Properties | undefined;

		// absent on a page without a host, such as a file, and with a key, which has its own
		const source = settings.source || (!key && withoutWww(location.hostname)) || null;
		/** What an event and a heartbeat begin with; the outbox finds the time there. */
		function toHead() {
			const timestamp = Date.now();
			const sessionId = toSessionId(`${stored(KEY) ?? session}`.split(' '));
			stored(KEY, (session = `${sessionId} ${timestamp}`));
			return { timestamp, sessionId, source };
		}

		const [add, tell] = startOutbox(
			// a path is one of the site's own, whatever <base> says
			host!.replace(/\/?$/, '/api/events').replace(/^(?=\/\w)/, location.origin) +
				// in the address: a beacon has no headers, and a header of our own would ask for a preflight
				(key ? `?key=${key}` : ''),
			() => {
				if (latest) latest.title = title();
				latest = 0;
			},
		);

		const track = ([name, given]: Call) =>
			attempt(() => {
				const head = toHead();
				const isView = name === PAGE_VIEW && !given;
				const properties: Properties | undefined =
					name === PAGE_VIEW
						? {
								...arrival,
								...(arrival = {}),
								url: toAddress(),
								title: title(),
								slash: settings.slash,
								...given,
							}
						: given;
				const event = { ...head, eventId: uuid(), name, properties };
				const entry = { toString: () => toJson(event) };
				// what the page handed over is written down at once: the page may change it
				add(isView ? entry : `${entry}`, isView);
				if (isView) shown = latest = properties;
				// the page's own code goes on, whatever it handed over
			}, warn);

		/** the last input; coming here is one */
		let input = Date.now();
		/** Says that the visitor is here, in the background, or leaves. */
		const here = (leaving?: 'gone') =>
			attempt(
				() =>
					isOn(settings.presence ?? true) &&
					tell(
						toJson({
							...toHead(),
							...shown,
							input,
							state: leaving || ofDocument('visibilityState'),
						}),
						leaving,
					),
			);

		function view() {
			url = toAddress();
			track([PAGE_VIEW]);
			here();
		}

		/** @param isReplaced the address of the latest view is gone from the history: it was a redirect */
		function onNavigation(isReplaced?: unknown) {
			const next = toAddress();
			if (next !== url)
				if (isReplaced === true && latest) {
					latest.url = url = next;
					here();
				} else view();
		}

		if (isOn(settings.auto ?? true)) {
			view();
			for (const method of ['pushState', 'replaceState'] as const)
				attempt(() => {
					// a Proxy of nothing throws, and the page keeps nothing
					history[method] = new Proxy(history[method], {
						apply(...call) {
							const result: unknown = Reflect.apply(...call);
							attempt(() => onNavigation(method > 'r'));
							return result;
						},
					});
				});
			// also fired when the hash changes
			listen('popstate', onNavigation);
			listen('pageshow', (event) => (event as PageTransitionEvent).persisted && view());
		}
		for (const type of ['keydown', 'pointerdown', 'pointermove', 'wheel'])
			listen(type, () => (input = Date.now()));
		listen('pagehide', () => here('gone'));
		listen('visibilitychange', () => here());
		calls!.forEach((take = track));
		// last: a page may have broken it
		setInterval(() => ofDocument('hidden') || here(), HERE_MS);
	}
});
