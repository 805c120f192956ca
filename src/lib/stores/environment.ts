/**
 * What the client takes from the browser, gathered so that a test can hand in its own. Null on the server, where no
 * stream may start: rendering a page subscribes to its stores.
 */

/** The part of EventSource that is used. */
export type Source = {
	addEventListener(type: string, listener: (event: Event) => void): void;
	close(): void;
};

export type Environment = {
	openSource: (url: string) => Source;
	window: EventTarget;
	document: EventTarget & { readonly hidden: boolean };
	isOnline: () => boolean;
	/** Tells every other tab of this origin that this one is looked at: there a `storage` event with the key LOOKED_AT. */
	announce: () => void;
	/** ms epoch */
	now: () => number;
	/** in [0, 1) */
	random: () => number;
	/** Runs once after `ms`; returns its cancel, safe to call twice and too late. */
	after: (ms: number, run: () => void) => () => void;
};

export const LOOKED_AT = 'nowboard-looked-at';

/** Null on the server. */
export function toEnvironment(): Environment | null {
	if (typeof window === 'undefined' || typeof EventSource === 'undefined') return null;
	return {
		openSource: (url) => new EventSource(url),
		window,
		document,
		isOnline: () => navigator.onLine,
		announce,
		now: Date.now,
		random: Math.random,
		after,
	};
}

/** A timer. @returns calls it off */
export function after(ms: number, run: () => void): () => void {
	const timer = setTimeout(run, ms);
	return () => clearTimeout(timer);
}

/** Not a BroadcastChannel: an open one may keep a page out of the back-forward cache. */
function announce(): void {
	try {
		// an event is fired for a change only
		localStorage.setItem(LOOKED_AT, `${Date.now()} ${Math.random()}`);
	} catch {
		// without storage the other tabs give their connections back after HIDDEN_MS
	}
}
