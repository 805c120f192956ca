/**
 * Sends events. An event leaves the queue only when an answer has settled it: until then it is sent again with the same
 * eventId, which the server counts once. sendBeacon gives no answer, so it is for leaving, and what is unanswered then
 * waits in sessionStorage for the next page of the tab.
 */
import { attempt, listen, ofDocument, warn } from './guest';

/** `at`: when it happened, ms since 1970; `text`: the event as JSON, with eventId first */
export type Entry = { at: number; text: string };

/** What happens within one moment travels together. */
const MOMENT_MS = 100;
/** Bound of the queue; beyond it the oldest are given up. */
const MAX_EVENTS = 100;
/** UTF-16 units of JSON in one request: at most 60,000 bytes, below the 64 KiB that browsers allow to outlive a page. */
export const MAX_SIZE = 20_000;
const TIMEOUT_MS = 30_000;
const MIN_RETRY_MS = 2_000;
const MAX_RETRY_MS = 300_000;
/** Requests of a page without any answer until it takes the endpoint for blocked: up to half a minute. */
const MAX_TRIES = 5;
/** An event that was held up for longer says when it happened; otherwise the server's clock is the truth. */
export const LATE_MS = 30_000;

const UNSENT = 'nowboard.unsent';

/** What of the head fits into one request; never nothing. */
export function toBatch(queue: readonly Entry[], maxEvents: number): Entry[] {
	let size = 0;
	return queue
		.slice(0, maxEvents)
		.filter(({ text }, index) => (size += text.length + 50) <= MAX_SIZE || !index);
}

export const toBody = (batch: readonly Entry[], now: number) =>
	`[${batch.map(({ at, text }) =>
		now - at > LATE_MS ? text.replace(/}$/, `,"timestamp":"${new Date(at).toISOString()}"}`) : text,
	)}]`;

/** What waits for the next page, one event a line. */
export const toLines = (queue: readonly Entry[]) =>
	queue.map(({ at, text }) => at + text).join('\n');

/** Any script of the site may have written there: other content is passed over. */
export const parseLines = (stored: string): Entry[] =>
	[...stored.matchAll(/^(\d{13})({"eventId":.+})$/gm)]
		.slice(-MAX_EVENTS)
		.map(([, at, text = '']) => ({ at: Number(at), text }));

/**
 * Doubles, and is spread over its upper half, so that the visitors of a whole site do not come back at once. It begins
 * where the server asked for it.
 * @param asked Retry-After in seconds; a date, or nothing, counts as none
 */
export const retryDelay = (failures: number, random: number, asked?: string | null) =>
	Math.min(
		Math.max(Number(asked) || 0, 0) * 1_000 +
			Math.min(MIN_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS) * (1 - random / 2),
		// a longer timer than a month's would fire at once
		2 * MAX_RETRY_MS,
	);

/** The event is taken or refused for good. Else the server was too slow, busy or away, or the answer is none. */
export const isSettled = (status: unknown) => /^[23]|^4(?!08|29)/.test(`${status}`);

/** @param complete called before anything is sent: the last word on what is in the queue */
export function startOutbox(endpoint: string, complete: () => void) {
	// the page may replace them later
	const { fetch, setTimeout } = window;
	let queue = attempt(() => parseLines(sessionStorage[UNSENT] as string)) ?? [];
	let timer: unknown;
	let failures = 0;
	let tries = 0;
	let batchEvents = MAX_EVENTS;
	let holdUntil = 0;
	let isSending = false;
	let hasLeft = false;

	const after = (ms: number, action: () => void) => attempt(() => setTimeout(action, ms));
	const schedule = (ms: number) => (timer ??= after(ms, send));
	const beacon = (body: string) => attempt(() => navigator.sendBeacon(endpoint, body));
	/** The body is a text, so its type is text/plain: no preflight. */
	const post = (body: string, settle: (answer?: Partial<Response>) => void) =>
		attempt(() =>
			fetch(endpoint, { method: 'POST', body, keepalive: true, credentials: 'omit' }).then(
				settle,
				() => settle(),
			),
		);

	/** Counts a request that may stay without an answer. */
	function countTry() {
		if (navigator.onLine && ++tries === MAX_TRIES) warn(`no answer from ${endpoint}: giving up`);
	}

	async function send() {
		attempt(() => clearTimeout(timer as number));
		timer = undefined;
		if (isSending || tries >= MAX_TRIES || !queue[0]) return;
		const wait = holdUntil - Date.now();
		if (wait > 0) return schedule(wait);
		isSending = true;
		failures++;
		let asked: string | null | undefined;
		try {
			complete();
			const batch = toBatch(queue, batchEvents);
			const body = toBody(batch, Date.now());
			// a fetch of the page's own may return nothing, or never end: then the beacon has to do
			const answer = await new Promise<Partial<Response> | void>((settle) => {
				if (!post(body, settle)) settle(beacon(body) ? { ok: true, status: 202 } : undefined);
				after(TIMEOUT_MS, settle);
			});
			const { status, ok } = answer ?? {};
			if (status) tries = -Infinity;
			else countTry();
			asked = attempt(() => answer!.headers!.get('retry-after'));
			if (isSettled(status)) {
				failures = 0;
				// a batch is refused as a whole: each alone, so that a wrong one takes no other with it
				if (batch[1] && status === 400) batchEvents = 1;
				else {
					queue = queue.filter((entry) => !batch.includes(entry));
					if (!ok) attempt(() => answer!.text!().then(warn, () => {}));
				}
			}
		} catch {
			// what could not be sent is kept
		} finally {
			isSending = false;
		}
		if (queue[0]) schedule(failures && retryDelay(failures, Math.random(), asked));
		else batchEvents = MAX_EVENTS;
	}

	/** The page may never be heard of again: everything unanswered goes once more. */
	function leave() {
		if (hasLeft) return;
		hasLeft = true;
		complete();
		for (let rest = queue; rest[0] && tries < MAX_TRIES;) {
			const batch = toBatch(rest, batchEvents);
			const body = toBody(batch, Date.now());
			countTry();
			if (!beacon(body)) post(body, () => {});
			rest = rest.filter((entry) => !batch.includes(entry));
		}
		attempt(() => (sessionStorage[UNSENT] = toLines(queue)));
	}

	function look() {
		hasLeft = false;
		holdUntil = 0;
		send();
	}

	listen('pagehide', leave);
	listen('online', look);
	listen('visibilitychange', () => (ofDocument('visibilityState') === 'hidden' ? leave : look)());
	schedule(MOMENT_MS);

	/** @param holdMs how long it may still be changed */
	return (entry: Entry, holdMs?: number) => {
		if (entry.text.length > MAX_SIZE) throw 'an event is too large';
		if (holdMs) {
			// what came before waits no longer, unless the server is in trouble
			holdUntil = 0;
			if (!failures) send();
			holdUntil = entry.at + holdMs;
		}
		queue = [...queue, entry].slice(-MAX_EVENTS);
		hasLeft = false;
		schedule(MOMENT_MS);
	};
}
