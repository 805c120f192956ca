/**
 * Brings events to the server. An event leaves the queue only when an answer has settled it, taken or refused for good:
 * until then it is sent again with the same eventId, which the server counts once. sendBeacon gives no answer, so it is only
 * for leaving, and what was unanswered then waits in sessionStorage for the next page of the tab.
 */
import { attempt } from './storage';

export type TrackedEvent = {
	eventId: string;
	name: string;
	/** absent on a page without a host, such as a file, and with a key, which has its own */
	source: string | undefined;
	sessionId: string;
	properties?: Record<string, unknown> | undefined;
};
/** `at`: when it happened, milliseconds since 1970 */
export type Entry = { at: number; event: TrackedEvent };

/** What happens within one moment travels together; a title set just after a navigation is in time. */
const MOMENT_MS = 100;
/** Bound of the queue; beyond it the oldest are given up. */
const MAX_EVENTS = 100;
/** UTF-16 units of JSON in one request: at most 60,000 bytes, below the 64 KiB that browsers allow to outlive a page. */
export const MAX_SIZE = 20_000;
const TIMEOUT_MS = 30_000;
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 300_000;
/** An event that was held up for longer says when it happened; otherwise the server's clock is the truth. */
export const LATE_MS = 30_000;

const UNSENT = 'nowboard.unsent';

/** What of the head fits into one request; never nothing. */
export function toBatch(queue: readonly Entry[], maxEvents: number): Entry[] {
	let size = 0;
	return queue
		.slice(0, maxEvents)
		.filter((entry, index) => (size += JSON.stringify(entry).length) <= MAX_SIZE || !index);
}

export function toBody(batch: readonly Entry[], now: number): string {
	return JSON.stringify(
		batch.map(({ at, event }) =>
			now - at > LATE_MS ? { ...event, timestamp: new Date(at).toISOString() } : event,
		),
	);
}

/**
 * Doubles, and is spread over its upper half, so that the visitors of a whole site do not come back as one; and begins where the
 * server asked for it.
 * @param asked Retry-After in seconds; a date, or nothing, counts as none
 */
export function retryDelay(failures: number, random: number, asked?: string | null): number {
	return Math.min(
		Math.max(Number(asked) || 0, 0) * 1_000 +
			Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS) * (1 - random / 2),
		// a longer timer than a month's would fire at once
		2 * MAX_RETRY_MS,
	);
}

/** Trouble of the server's, not of the event's: too slow, too much, away. */
const isPassing = (status: number) => status === 408 || status === 429 || status > 499;

/** For the site's developers; never an error, which would count as one of the page's. */
export const warn = (reason: unknown) => console.warn('nowboard:', reason);

/** @param complete called before anything is sent: the last word on what is in the queue */
export function startOutbox(endpoint: string, complete: () => void) {
	let queue: Entry[] =
		attempt(() => JSON.parse(sessionStorage.getItem(UNSENT) ?? '[]') as Entry[]) ?? [];
	let timer: ReturnType<typeof setTimeout> | undefined;
	let failures = 0;
	let batchEvents = MAX_EVENTS;
	let isSending = false;
	let hasLeft = false;

	/** The body is a text, so its type is text/plain: no preflight. */
	const post = (body: string, signal?: AbortSignal) =>
		fetch(endpoint, { method: 'POST', body, keepalive: true, credentials: 'omit', signal });

	const schedule = (ms: number) => (timer ??= setTimeout(send, ms));

	async function send() {
		clearTimeout(timer);
		timer = undefined;
		if (isSending || !queue[0]) return;
		isSending = true;
		complete();
		const batch = toBatch(queue, batchEvents);
		const body = toBody(batch, Date.now());
		const answer = await post(body, AbortSignal.timeout?.(TIMEOUT_MS)).catch(() => {});
		isSending = false;
		failures = !answer || isPassing(answer.status) ? failures + 1 : 0;
		// a batch is refused as a whole: each alone, so that a wrong one takes no other with it
		if (batch[1] && answer?.status === 400) batchEvents = 1;
		else if (!failures) {
			queue = queue.filter((entry) => !batch.includes(entry));
			if (!answer?.ok) answer?.text().then(warn, () => {});
		}
		if (queue[0])
			schedule(failures && retryDelay(failures, Math.random(), answer?.headers.get('retry-after')));
		else batchEvents = MAX_EVENTS;
	}

	/** The page may never be heard of again: everything unanswered goes once more. */
	function leave() {
		if (hasLeft) return;
		hasLeft = true;
		complete();
		for (let rest = queue; rest[0];) {
			const batch = toBatch(rest, batchEvents);
			const body = toBody(batch, Date.now());
			if (!attempt(() => navigator.sendBeacon(endpoint, body))) post(body).catch(() => {});
			rest = rest.filter((entry) => !batch.includes(entry));
		}
		attempt(() => sessionStorage.setItem(UNSENT, JSON.stringify(queue)));
	}

	function comeBack() {
		hasLeft = false;
		send();
	}

	addEventListener('pagehide', leave);
	addEventListener('online', comeBack);
	document.addEventListener('visibilitychange', () =>
		document.visibilityState === 'hidden' ? leave() : comeBack(),
	);
	schedule(MOMENT_MS);

	return (event: TrackedEvent): TrackedEvent => {
		// a copy: what the page changes in its object later did not happen now
		const text = JSON.stringify({ at: Date.now(), event });
		if (text.length > MAX_SIZE) throw new Error('an event is too large');
		const entry = JSON.parse(text) as Entry;
		queue = [...queue, entry].slice(-MAX_EVENTS);
		hasLeft = false;
		schedule(MOMENT_MS);
		return entry.event;
	};
}
