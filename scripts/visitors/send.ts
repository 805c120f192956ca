/**
 * Sends events to the ingest endpoint until they are acknowledged. Bounded: when the server does not keep
 * up, `add` waits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { INGEST_LIMITS } from '../../src/lib/ingest-limits';

export type Sender = {
	/** resolves when there is room for more */
	add: (events: object[]) => Promise<void>;
	/** resolves when everything is acknowledged or given up */
	finish: () => Promise<void>;
	accepted: () => number;
};

const REQUESTS_AT_ONCE = 8;
const REQUEST_TIMEOUT_MS = 15_000;
const MAX_WAIT_MS = 5_000;

/**
 * @param signal ends waiting and sending: what is not acknowledged by then is given up
 * @param key an ingest key
 */
export function createSender(url: string, signal: AbortSignal, key?: string): Sender {
	const pending = new Set<Promise<void>>();
	let accepted = 0;

	async function add(events: object[]): Promise<void> {
		for (let from = 0; from < events.length; from += INGEST_LIMITS.batch) {
			while (pending.size >= REQUESTS_AT_ONCE) await Promise.race(pending);
			const request = sendUntilAccepted(events.slice(from, from + INGEST_LIMITS.batch));
			pending.add(request);
			void request.finally(() => pending.delete(request));
		}
	}

	async function sendUntilAccepted(batch: object[]): Promise<void> {
		for (let attempt = 0; !signal.aborted; attempt++) {
			const response = await post(JSON.stringify(batch));
			if (response?.status === 202) {
				const body = (await response.json()) as { accepted: number };
				accepted += body.accepted;
				return;
			}
			if (response && !mayPass(response.status)) {
				console.error(`${url} refused events (${response.status}): ${await response.text()}`);
				return;
			}
			const asked = Number(response?.headers.get('retry-after') ?? 0) * 1000;
			const wait = Math.max(asked, Math.min(250 * 2 ** attempt, MAX_WAIT_MS));
			await delay(wait, undefined, { signal }).catch(() => {});
		}
	}

	/** Undefined when there was no answer. */
	async function post(body: string): Promise<Response | undefined> {
		try {
			const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
			return await fetch(url, {
				method: 'POST',
				headers: toHeaders(key),
				body,
				signal: AbortSignal.any([signal, timeout]),
			});
		} catch {
			return undefined;
		}
	}

	return {
		add,
		finish: async () => void (await Promise.all(pending)),
		accepted: () => accepted,
	};
}

/** What visitors say of being here, once: what is lost is said again with the next heartbeat. */
export async function tell(
	endpoint: string,
	states: readonly object[],
	key?: string,
): Promise<void> {
	for (let from = 0; from < states.length; from += INGEST_LIMITS.batch) {
		const body = JSON.stringify(states.slice(from, from + INGEST_LIMITS.batch));
		await fetch(endpoint, { method: 'POST', headers: toHeaders(key), body }).catch(() => {});
	}
}

const toHeaders = (key?: string) => ({
	'content-type': 'application/json',
	...(key && { authorization: `Bearer ${key}` }),
});

function mayPass(status: number): boolean {
	return status === 408 || status === 429 || status >= 500;
}
