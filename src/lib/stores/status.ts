/**
 * The plain question beside the stream: EventSource does not tell which status it was refused with, so an error asks here.
 * Answers with a sentence for the person in front of the page; never throws.
 */
import type { Ping } from '../protocol';
import { parseText, type Parse, type Parsed } from './check';
import { PARSERS } from './parse';

/** `reason` is a sentence to show; with `ping`, the server is well and answers for its database. */
export type Answer = { ok: true; ping: Ping } | { ok: false; reason: string };

/** An answer that takes longer explains nothing any more: the next attempt is due. */
export const STATUS_TIMEOUT_MS = 5_000;

export const UNREACHABLE = 'The server is not answering.';
/** The session has ended: the page has nothing to wait for. */
export const NEEDS_LOGIN = 'Log in to view this dashboard.';
const REASONS: { [status: number]: string } = {
	401: NEEDS_LOGIN,
	403: 'You have no access to this dashboard.',
	404: 'There is no dashboard at this address.',
	429: 'The server limits how often it is asked.',
	502: 'The proxy cannot reach the server.',
	503: 'The server is not ready.',
	504: 'The proxy waited for the server in vain.',
};

/** Never rejects. */
export async function fetchStatus(url: string, fetcher: typeof fetch = fetch): Promise<Answer> {
	const answer = await ask(url, PARSERS.ping, fetcher);
	return answer.ok ? { ok: true, ping: answer.value } : answer;
}

/** A JSON answer, or a sentence why there is none. */
export async function ask<T>(
	url: string,
	parser: Parse<T>,
	fetcher: typeof fetch = fetch,
	method: 'GET' | 'POST' = 'GET',
): Promise<Parsed<T>> {
	try {
		const response = await fetcher(url, {
			method,
			cache: 'no-store',
			headers: { accept: 'application/json' },
			signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
		});
		const body = await response.text();
		if (!response.ok) return refuse(toReason(response.status));
		const parsed = parseText(body, parser);
		return parsed.ok ? parsed : refuse('Something else answers in the place of the server.');
	} catch {
		return refuse(UNREACHABLE);
	}
}

/** Why a stream ended, as a sentence: what `createEventStream` asks after an error. */
export async function diagnose(url: string, fetcher: typeof fetch = fetch): Promise<string> {
	const answer = await fetchStatus(url, fetcher);
	if (!answer.ok) return answer.reason;
	if (answer.ping.database === 'down') return 'Postgres is not answering.';
	return 'The stream was cut; the server is answering.';
}

/** Thrown when an address cannot be had: its message is the reason that `ask` gave, a sentence for the viewer. */
export class Refusal extends Error {}

/** A refusal by its status, as a sentence. */
export function toReason(status: number): string {
	return REASONS[status] ?? `The server answered with status ${status}.`;
}

function refuse(reason: string): { ok: false; reason: string } {
	return { ok: false, reason };
}
