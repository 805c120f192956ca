/**
 * Sends events. An event leaves the queue only when an answer has settled it: until then it is sent again with the same
 * eventId, which the server counts once. sendBeacon gives no answer, so it is for leaving, and what is unanswered then
 * waits in sessionStorage for the next page of the tab.
 */
import { attempt, listen, ofDocument, stored, warn } from './guest';

/** Reads as the event's JSON, with eventId first and timestamp last; a page view may still change. */
export type Entry = { toString(): string };

/** What happens within one moment travels together. */
const MOMENT_MS = 100;
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
export function toBatch(queue: readonly Entry[], maxSize: number): Entry[] {
	let size = 0;
	return queue.filter((entry, index) => (size += `${entry}`.length) <= maxSize || !index);
}

export const toBody = (batch: readonly Entry[], now = Date.now()) =>
	`[${batch.map((entry) =>
		`${entry}`.replace(/,"timestamp":"([^"]+)"}$/, (timestamp, at: string) =>
			now - Date.parse(at) > LATE_MS ? timestamp : '}',
		),
	)}]`;

/** What waits for the next page, one event a line. Any script of the site may write there: skips other content. */
export const parseLines = (stored: unknown): Entry[] =>
	`${stored}`.split('\n').filter((line) => /^{"eventId/.test(line));

/**
 * Doubles, and is spread over its upper half, so that the visitors of a whole site do not come back at once. It begins
 * where the server asked for it, and ends after 10 minutes: a longer timer than a month's would fire at once.
 * @param asked Retry-After in seconds; a date, or nothing, counts as none
 */
export const retryDelay = (failures: number, random: number, asked?: unknown) =>
	1_000 *
	(Math.min(Number((asked as number) > 0 && asked), 600) +
		2 ** Math.min(failures, 8) * (1 - random / 2));

/** The event is taken or refused for good. Else the server was too slow, busy or away, or the answer is none. */
export const isSettled = (status: unknown) => /^[23]|^4(?!08|29)/.test(`${status}`);

/** @param complete called before anything is sent: the last change to what is in the queue */
export function startOutbox(endpoint: string, complete: () => void) {
	// the page may replace them later
	const { fetch, setTimeout } = window;
	let queue = parseLines(stored('sessionStorage', UNSENT));
	/** what the last beacons carried */
	let left: Entry[] | undefined;
	let sending: Entry[] | undefined;
	let timer: unknown;
	let failures = 0;
	let tries = 0;
	let maxSize = MAX_SIZE;

	const after = (ms: number, action: () => void) => attempt(() => setTimeout(action, ms));
	const schedule = (ms: number) => (timer ??= after(ms, send));
	const cancel = () => (timer = attempt(() => clearTimeout(timer as number)));
	const beacon = (body: string) => attempt(() => navigator.sendBeacon(endpoint, body));
	/** The body is a text, so its type is text/plain: no preflight. */
	const post = (body: string, settle: (answer?: Partial<Response>) => void) =>
		attempt(() =>
			fetch(endpoint, { method: 'POST', body, keepalive: true, credentials: 'omit' }).then(
				settle,
				settle,
			),
		);

	function send() {
		cancel();
		left = undefined;
		if (sending || tries >= MAX_TRIES || !queue[0]) return;
		complete();
		const batch = (sending = toBatch(queue, maxSize));
		const body = toBody(batch);
		const settle = (answer?: Partial<Response>) =>
			attempt(() => {
				// an answer after the timeout
				if (sending !== batch) return;
				sending = undefined;
				failures++;
				const status = answer?.status;
				if (status) tries = -Infinity;
				else if (navigator.onLine && ++tries === MAX_TRIES) warn(`no answer: ${endpoint}`);
				if (isSettled(status)) {
					failures = 0;
					// a batch is refused as a whole: each alone, so that a wrong one takes no other with it
					if (batch[1] && status === 400) maxSize = 0;
					else {
						queue = queue.filter((entry) => !batch.includes(entry));
						if (status! > 399) attempt(() => answer!.text!().then(warn, warn));
					}
				}
				if (failures) cancel();
				if (queue[0])
					schedule(
						failures &&
							retryDelay(
								failures,
								Math.random(),
								attempt(() => answer!.headers!.get('retry-after')),
							),
					);
				else maxSize = MAX_SIZE;
			});
		// a fetch of the page's own may return nothing, or never end: then the beacon has to do
		if (!post(body, settle)) settle(beacon(body) ? { status: 202 } : undefined);
		after(TIMEOUT_MS, settle);
	}

	/** The page may never run again: everything unanswered goes once more. */
	function leave() {
		complete();
		if (left === queue) return;
		left = queue;
		for (let rest = queue; rest[0] && tries < MAX_TRIES;) {
			const batch = toBatch(rest, maxSize);
			const body = toBody(batch);
			if (!beacon(body)) post(body, () => {});
			rest = rest.slice(batch.length);
		}
		stored('sessionStorage', UNSENT, queue.join('\n'));
	}

	listen('pagehide', leave);
	listen('online', send);
	listen('visibilitychange', () => (ofDocument('hidden') ? leave : send)());
	schedule(MOMENT_MS);

	/** @param holdMs how long it may still change */
	return (entry: Entry, holdMs?: number) => {
		if (`${entry}`.length > MAX_SIZE) throw 'event too large';
		// what came before waits no longer, unless the server is in trouble
		if (holdMs && !failures) {
			complete();
			send();
		}
		queue = [...queue, entry].slice(-MAX_EVENTS);
		schedule(holdMs ?? MOMENT_MS);
	};
}
