/**
 * Sends events. An event leaves the queue only when an answer has settled it: until then it is sent again with the same
 * eventId, which the server counts once. sendBeacon gives no answer, so it is for leaving, and what is unanswered then
 * waits in sessionStorage for the next page of the tab.
 */
import { attempt, listen, ofDocument, stored, warn } from './guest';

/** Reads as the event's JSON, which begins with its timestamp; a page view may still change. */
export type Entry = { toString(): string };

/** What happens within one moment travels together. */
const MOMENT_MS = 100;
/** A view waits so long for its title, and for the site's router to replace its address. */
const VIEW_MS = 1_000;
/** Bound of the queue; beyond it the oldest are dropped. */
const MAX_EVENTS = 100;
/** UTF-16 units of JSON in one request: at most 60,000 bytes, below the 64 KiB that browsers allow to outlive a page. */
export const MAX_SIZE = 20_000;
const TIMEOUT_MS = 30_000;
/** Requests of a page without any answer until it takes the endpoint for blocked: up to half a minute. */
const MAX_TRIES = 5;
/** An event that was held up for longer says when it happened; otherwise the server's clock is the truth. */
export const LATE_MS = 30_000;

const UNSENT = 'nowboard.unsent';

/** What of the head fits into one request; never nothing. */
export const toBatch = (queue: readonly Entry[], maxSize: number, size = 0) =>
	queue.filter((entry, index) => (size += `${entry}`.length) <= maxSize || !index);

/** What goes on the wire: the timestamp, by the visitor's clock, only if the event is late. */
export const toItem = (entry: Entry) =>
	`${entry}`.replace(/\d+/, (at) => (Date.now() - (at as never) > LATE_MS ? at : 'null'));

/** What waits for the next page, one event a line. Any script of the site may write there: skips other content. */
export const LINES = /^{"timestamp[^\n]*/gm;

/** The event is taken or refused for good. Else the server was too slow, busy or away, or the answer is none. */
export const SETTLED = /^[23]|^4(?!08|29)/;

/** The body is a text, so its type is text/plain: no preflight. */
const post = (endpoint: string, body: string, settle: (answer?: Partial<Response>) => void) =>
	attempt(() => fetch(endpoint, { method: 'POST', body, keepalive: true }).then(settle, settle));
const beacon = (endpoint: string, body: string) =>
	attempt(() => navigator.sendBeacon(endpoint, body));

/** @param complete called before anything is sent: the last change to what is in the queue */
export function startOutbox(endpoint: string, complete: () => void) {
	let queue: Entry[] = `${stored(UNSENT)}`.match(LINES) ?? [];
	let sending: Entry[] | 0;
	/** what was sent when the page was hidden or left, until it is looked at again */
	let left: unknown;
	let timer: unknown;
	/** ms before the last retry; 0 after a success */
	let waited = 0;
	let tries = 0;
	let maxSize = MAX_SIZE;

	const after = (ms: number, action: () => void) => attempt(() => setTimeout(action, ms));
	const schedule = (ms: number) => (timer ??= after(ms, send));
	const cancel = () => (timer = attempt(() => clearTimeout(timer as number)));

	/** @param isLeaving the page may never run again: what is unanswered goes once more */
	function send(isLeaving?: unknown) {
		complete();
		const batch = toBatch(queue, maxSize);
		const body = `[${batch.map(toItem)}]`;
		const settle = (answer?: Partial<Response> | false) =>
			attempt(() => {
				// an answer after the timeout, or to what was sent when leaving
				if (sending !== batch) return;
				sending = 0;
				waited = Math.min(2 * waited || 2_000, 300_000);
				const status = (answer as Partial<Response>)?.status;
				if (status) tries = -Infinity;
				else if (navigator.onLine && ++tries === MAX_TRIES) warn(`no answer: ${endpoint}`);
				if (SETTLED.test(status as never)) {
					waited = 0;
					// a batch is refused as a whole: each alone, so that a wrong one takes no other with it
					if (batch[1] && status === 400) maxSize = 0;
					else {
						queue = queue.filter((entry) => !batch.includes(entry));
						if (status! > 399) (answer as Response).text().then(warn, warn);
					}
				} else cancel();
				// spread, so that the visitors of a whole site do not come back at once; limits are counted by the minute
				if (queue[0])
					schedule(waited * (1 - Math.random() / 2) + ((status === 429 && 60_000) as number));
				else maxSize = MAX_SIZE;
			});
		if (isLeaving) stored(UNSENT, queue.join('\n'));
		else cancel();
		// a page that is left is hidden too: what has just gone goes once
		if (!queue[0] || tries >= MAX_TRIES || left === (left = isLeaving ? queue : {})) return;
		if (isLeaving) {
			if (!beacon(endpoint, body)) post(endpoint, body, settle);
		} else if (!sending) {
			sending = batch;
			// a fetch of the page's own may return nothing, or never end: then the beacon has to do
			if (!post(endpoint, body, settle)) settle(beacon(endpoint, body) && { status: 202 });
			after(TIMEOUT_MS, settle);
		}
	}

	listen('pagehide', send);
	listen('online', () => send());
	listen('visibilitychange', () => send(ofDocument('hidden')));
	schedule(MOMENT_MS);

	/** @param isView may still change for a second */
	function add(entry: Entry, isView: boolean) {
		if (`${entry}`.length > MAX_SIZE) throw 'too large';
		// what came before waits no longer, unless the server is in trouble
		if (isView && !waited) send();
		queue = [...queue, entry].slice(-MAX_EVENTS);
		schedule(isView ? VIEW_MS : MOMENT_MS);
	}

	/** Says something of the visitor once, unless the server is taken for blocked. */
	const tell = (body: string, isLeaving: unknown) =>
		tries < MAX_TRIES &&
		(isLeaving ? beacon : post)(endpoint.replace('/api/events', '/api/presence'), body, () => {});

	return [add, tell] as const;
}
