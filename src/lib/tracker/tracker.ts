/**
 * What `GET /t.js` serves: page views and the global `nowboard(name, properties)`, on a page of any origin. It imports
 * nothing of the app and is built apart, into one minified script (scripts/release/tracker-plugin.ts). It is a guest: it must not
 * throw into the page, set cookies, or send anything for visitors who ask not to be tracked. More in docs/tracker.md.
 */
import { startOutbox, warn, type TrackedEvent } from './outbox';
import { clip, MAX_TEXT, toPage, toReferrer } from './page';
import { nextSession, uuid } from './session';
import { attempt } from './storage';

type Call = [name: string, properties?: Record<string, unknown>];
/** `q`: calls that waited in the stub until this script came */
type Nowboard = { (...call: Call): void; q?: Call[] };
type Site = { nowboard?: Nowboard };
type Visitor = { globalPrivacyControl?: boolean; doNotTrack?: string | null };
type Prerendered = { prerendering?: boolean };

/** Our key in localStorage (do not count me) and sessionStorage (the session). */
const KEY = 'nowboard';
const MAX_SOURCE = 120;

const site = window as Site;
const script = document.currentScript as HTMLScriptElement;
const stub = site.nowboard;

// included twice, it runs once
if (typeof stub !== 'function' || stub.q) {
	const calls = stub?.q ?? [];
	if (isUnwanted()) site.nowboard = () => {};
	else if ((document as Prerendered).prerendering) {
		site.nowboard = (...call) => void calls.push(call);
		document.addEventListener('prerenderingchange', () => start(calls), { once: true });
	} else start(calls);
}

/** By the browser's signal, or because these are visits of one's own (`?nowboard=ignore`, until `?nowboard=count`). */
function isUnwanted(): boolean {
	const { globalPrivacyControl, doNotTrack } = navigator as Visitor;
	if (globalPrivacyControl || doNotTrack === '1') return true;
	const wish = new URLSearchParams(location.search).get(KEY);
	if (wish === 'ignore') attempt(() => localStorage.setItem(KEY, wish));
	if (wish === 'count') attempt(() => localStorage.removeItem(KEY));
	return wish === 'ignore' || !!attempt(() => localStorage.getItem(KEY));
}

function start(calls: Call[]) {
	const { host, source, key, auto, hash = 'false' } = script.dataset;
	const home = host ? new URL(host.replace(/\/?$/, '/'), location.href) : script.src;
	const page = () => toPage(location, hash !== 'false');
	/** of the first page view alone: afterwards the visitor comes from the site itself */
	let referrer = toReferrer(document.referrer, location.host);
	let session: string | null = null;
	let path: string;
	let latest: TrackedEvent | undefined;

	// in the address: a beacon has no headers, and a header of our own would ask for a preflight
	const add = startOutbox(new URL('api/events' + (key ? `?key=${key}` : ''), home).href, () => {
		if (latest?.properties) latest.properties.title = title();
		latest = undefined;
	});

	const title = () => clip(document.title, MAX_TEXT);

	function sessionId(): string {
		const stored = attempt(() => sessionStorage.getItem(KEY)) ?? session;
		const next = nextSession(stored, Date.now(), uuid);
		session = next;
		attempt(() => sessionStorage.setItem(KEY, next));
		return next.split(' ')[0] ?? '';
	}

	function track(...[name, given]: Call): TrackedEvent | undefined {
		try {
			let properties = given;
			if (name === 'page_view') {
				properties = { ...page(), title: title(), referrer, ...given };
				referrer = undefined;
			}
			return add({
				eventId: uuid(),
				name,
				// a key has a source of its own
				source: (source || (key ? '' : location.hostname)).slice(0, MAX_SOURCE) || undefined,
				sessionId: sessionId(),
				properties,
			});
		} catch (error) {
			// the page's own code goes on, whatever it handed over
			warn(error);
		}
	}

	function view() {
		path = page().path;
		latest = track('page_view');
	}

	function onNavigation() {
		if (page().path !== path) view();
	}

	site.nowboard = (...call) => void track(...call);
	if (auto !== 'false') {
		view();
		for (const method of ['pushState', 'replaceState'] as const) {
			const original = history[method];
			history[method] = function (...args) {
				original.apply(this, args);
				onNavigation();
			};
		}
		addEventListener('popstate', onNavigation);
		addEventListener('hashchange', onNavigation);
		addEventListener('pageshow', ({ persisted }) => persisted && view());
	}
	for (const call of calls) track(...call);
}
