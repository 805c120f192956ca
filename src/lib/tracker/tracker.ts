/**
 * What `GET /t.js` serves: page views and the global `nowboard(name, properties)`, on a page of any origin. It imports
 * nothing of the app and is built apart, into one minified script (scripts/release/tracker-plugin.ts). It must not throw
 * into the page, set cookies, or send anything for visitors who ask not to be tracked. More in docs/tracker.md.
 */
import { attempt, listen, ofDocument, ofWindow, toJson, warn } from './guest';
import { startOutbox, type Entry } from './outbox';
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
type TrackedEvent = {
	/** first, because the outbox knows its own lines by it */
	eventId: string;
	name: string;
	/** absent on a page without a host, such as a file, and with a key, which has its own */
	source: string | undefined;
	sessionId: string;
	properties: Properties | undefined;
};
type Visitor = { globalPrivacyControl?: boolean; doNotTrack?: string | null };

/** Our key in localStorage (do not count me) and sessionStorage (the session). */
const KEY = 'nowboard';
const MAX_SOURCE = 120;
/** A view waits so long for its title, and for the site's router to replace its address. */
const VIEW_MS = 1_000;

const publish = (nowboard: Nowboard) =>
	attempt(() => ((window as { nowboard?: Nowboard }).nowboard = nowboard));

/** A module has no currentScript, but its address is in its stack. */
function findScript(): { src: string; dataset?: DOMStringMap } {
	const src = /http\S+?\/t\.js[^\s:)]*/.exec(`${new Error().stack}`)?.[0] ?? '';
	return (
		ofDocument<HTMLScriptElement | null>('currentScript') ??
		[...(ofDocument<HTMLCollectionOf<HTMLScriptElement>>('scripts') ?? [])].find(
			(script) => script.src === src,
		) ?? { src }
	);
}

attempt(() => {
	const stub = ofWindow<Nowboard>(KEY);
	// included twice, it runs once
	if (typeof stub === 'function' && !stub.q) return;
	const calls = stub?.q ?? [];
	const { src, dataset } = findScript();
	const settings: Settings = {
		host: src.replace(/[^/]*$/, ''),
		...ofWindow<Settings>('nowboardConfig'),
		...dataset,
	};
	publish((...call) => calls.push(call));
	if (!settings.host) warn('no data-host, no nowboardConfig.host');
	else if (isUnwanted(settings)) publish(() => {});
	else if (ofDocument('prerendering')) listen('prerenderingchange', () => start(settings, calls));
	else start(settings, calls);
});

/** By the browser's signal, in a frame of the site, or as one's own visit (`?nowboard=ignore`, until `?nowboard=count`). */
function isUnwanted({ frames, domains }: Settings): unknown {
	const { globalPrivacyControl, doNotTrack } = navigator as Visitor;
	const { host, search, ancestorOrigins } = location;
	const wish = /[?&]nowboard=(ignore|count)/.exec(search)?.[1];
	attempt(() => wish && (localStorage[KEY] = wish));
	return (
		globalPrivacyControl ||
		doNotTrack === '1' ||
		(wish ?? attempt(() => localStorage[KEY] as string)) === 'ignore' ||
		// about:srcdoc and the like have no host
		(window.top !== window &&
			!(
				host &&
				(isOn(frames) ||
					toReferrer(
						attempt(() => ancestorOrigins?.[0] ?? window.top!.origin),
						host,
						domains,
					))
			))
	);
}

function start(settings: Settings, calls: Call[]) {
	const { host: home = '', source, key, auto, domains } = settings;
	const { origin, host, hostname } = location;
	const page = () => toPage(location, settings);
	const title = () => clip(`${ofDocument('title')}`, MAX_TEXT);
	/** of the first page view alone: afterwards the visitor comes from the site itself */
	let arrival: Properties = {
		referrer: toReferrer(ofDocument('referrer'), host, domains),
		// the site's router may have replaced the address by now
		...attempt(() =>
			toCampaign(performance.getEntriesByType('navigation')[0]!.name.replace(/^[^?]*|#.*/g, '')),
		),
	};
	let session: unknown;
	let path: string;
	/** the latest page view, while its title and address may change */
	let latest: (Entry & { event: TrackedEvent }) | undefined;

	const add = startOutbox(
		// a path is one of the site's own, whatever <base> says
		home.replace(/^\/(?!\/)/, `${origin}/`).replace(/\/?$/, '/api/events') +
			// in the address: a beacon has no headers, and a header of our own would ask for a preflight
			(key ? `?key=${key}` : ''),
		settle,
	);

	function settle() {
		if (latest) {
			latest.event.properties = { ...latest.event.properties, title: title() };
			latest.text = toJson(latest.event);
		}
		latest = undefined;
	}

	function track([name, given]: Call, holdMs?: number) {
		try {
			const at = Date.now();
			session = nextSession(attempt(() => sessionStorage[KEY] as string) ?? session, at, uuid);
			attempt(() => (sessionStorage[KEY] = session));
			const event = {
				eventId: uuid(),
				name,
				// a key has a source of its own
				source: (source || (key ? '' : withoutWww(hostname))).slice(0, MAX_SOURCE) || undefined,
				sessionId: `${session}`.replace(/ .*/, ''),
				properties:
					name === 'page_view' ? { ...arrival, ...page(), title: title(), ...given } : given,
			};
			const entry = { at, event, text: toJson(event) };
			add(entry, holdMs);
			if (name === 'page_view') arrival = {};
			return entry;
		} catch (error) {
			// the page's own code goes on, whatever it handed over
			warn(error);
		}
	}

	function view() {
		settle();
		path = page().path;
		latest = track(['page_view'], VIEW_MS);
	}

	/** @param isReplaced the address of the latest view is gone from the history: it was a redirect */
	function onNavigation(isReplaced?: unknown) {
		const next = page();
		if (next.path === path) return;
		if (isReplaced !== true || !latest) return view();
		path = next.path;
		latest.event.properties = { ...latest.event.properties, ...next };
	}

	publish((...call) => void track(call));
	if (`${auto}` !== 'false') {
		view();
		for (const method of ['pushState', 'replaceState'] as const)
			attempt(() => {
				const original = history[method];
				if (original)
					history[method] = function (...args) {
						const result = original.apply(this, args);
						attempt(() => onNavigation(method > 'r'));
						return result;
					};
			});
		listen('popstate', onNavigation);
		listen('hashchange', onNavigation);
		listen('pageshow', (event) => (event as PageTransitionEvent).persisted && view());
	}
	for (const call of calls) track(call);
}
