/**
 * What `GET /t.js` serves: page views and the global `nowboard(name, properties)`, on a page of any origin. It imports
 * nothing of the app and is built apart, into one minified script (scripts/release/tracker-plugin.ts). It must not throw
 * into the page, set cookies, or send anything for visitors who ask not to be tracked. More in docs/tracker.md.
 */
import { attempt, listen, ofDocument, stored, toJson, warn } from './guest';
import { startOutbox } from './outbox';
import {
	clip,
	isOn,
	MAX_TEXT,
	toCampaign,
	toPage,
	toReferrer,
	withoutWww,
	type Settings,
} from './page';
import { nextSession, uuid } from './session';

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
const MAX_SOURCE = 120;
/** A view waits so long for its title, and for the site's router to replace its address. */
const VIEW_MS = 1_000;

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
	const address = /http\S+?\/t\.js[^\s:)]*/.exec(`${new Error().stack}`)?.[0] ?? '';
	const { src, dataset } =
		ofDocument<Script | null>('currentScript') ??
		[...ofDocument<Iterable<Script>>('scripts')!].find((script) => script.src === address) ??
		({ src: address } as Script);
	const settings: Settings = {
		host: src.replace(/[^/]*$/, ''),
		...nowboardConfig,
		...dataset,
	};
	const run = () => calls.forEach((take = start(settings)));
	if (!settings.host) warn('no nowboardConfig.host');
	else if (isUnwanted(settings)) take = () => {};
	else if (ofDocument('prerendering')) listen('prerenderingchange', run);
	else run();
});

/** By the browser's signal, in a frame of the site, or as one's own visit (`?nowboard=ignore`, until `?nowboard=count`). */
function isUnwanted({ frames, domains }: Settings): unknown {
	const visitor = navigator as Visitor;
	const wish = /[?&]nowboard=(ignore|count)/.exec(location.search)?.[1];
	return (
		visitor.globalPrivacyControl ||
		visitor.doNotTrack === '1' ||
		(stored('localStorage', KEY, wish) ?? wish) === 'ignore' ||
		// about:srcdoc and the like have no host; without ancestorOrigins, frames of all sites need data-frames
		(window.top !== window &&
			!(
				location.host &&
				(isOn(frames) || toReferrer(location.ancestorOrigins?.[0], location.host, domains))
			))
	);
}

/** @returns what takes calls of `nowboard()` from now on */
function start(settings: Settings) {
	const { host: home, source, key, auto, domains } = settings;
	const page = () => toPage(location, settings);
	const title = () => clip(`${ofDocument('title')}`, MAX_TEXT);
	/** of the first page view alone: afterwards the visitor comes from the site itself */
	let arrival: Properties = {
		referrer: toReferrer(ofDocument('referrer'), location.host, domains),
		// the site's router may have replaced the address by now
		...toCampaign(
			attempt(() => performance.getEntriesByType('navigation')[0]!.name) ?? location.href,
		),
	};
	let session: string;
	let path: string;
	/** the properties of the latest page view, while its title and address may change */
	let latest: Properties | undefined;

	const add = startOutbox(
		// a path is one of the site's own, whatever <base> says
		home!.replace(/\/?$/, '/api/events').replace(/^(?=\/\w)/, location.origin) +
			// in the address: a beacon has no headers, and a header of our own would ask for a preflight
			(key ? `?key=${key}` : ''),
		() => {
			if (latest) latest.title = title();
			latest = undefined;
		},
	);

	const track = ([name, given]: Call, holdMs?: number) =>
		attempt(() => {
			session = nextSession(stored('sessionStorage', KEY) ?? session, Date.now(), uuid);
			stored('sessionStorage', KEY, session);
			const properties: Properties | undefined =
				name === PAGE_VIEW
					? { ...arrival, ...(arrival = {}), ...page(), title: title(), ...given }
					: given;
			const event = {
				// first: the outbox recognises its lines by it
				eventId: uuid(),
				name,
				// absent on a page without a host, such as a file, and with a key, which has its own
				source:
					(source || (key ? '' : withoutWww(location.hostname))).slice(0, MAX_SOURCE) || undefined,
				sessionId: session.split(' ')[0],
				properties,
				// last: the outbox drops it from events that are not late
				timestamp: new Date().toISOString(),
			};
			const entry = { toString: () => toJson(event) };
			// what the page handed over is written down at once: the page may change it
			add(holdMs ? entry : `${entry}`, holdMs);
			return properties;
			// the page's own code goes on, whatever it handed over
		}, warn);

	function view() {
		path = page().path;
		latest = track([PAGE_VIEW], VIEW_MS);
	}

	/** @param isReplaced the address of the latest view is gone from the history: it was a redirect */
	function onNavigation(isReplaced?: unknown) {
		const next = page();
		if (next.path === path) return;
		if (isReplaced !== true || !latest) return view();
		path = next.path;
		Object.assign(latest, next);
	}

	if (isOn(auto ?? true)) {
		view();
		for (const method of ['pushState', 'replaceState'] as const)
			attempt(() => {
				// a Proxy of nothing throws, and the page keeps nothing
				history[method] = new Proxy(history[method], {
					apply(original, self, args) {
						const result: unknown = Reflect.apply(original, self, args);
						attempt(() => onNavigation(method > 'r'));
						return result;
					},
				});
			});
		// also fired when the hash changes
		listen('popstate', onNavigation);
		listen('pageshow', (event) => (event as PageTransitionEvent).persisted && view());
	}
	return (call: Call) => track(call);
}
