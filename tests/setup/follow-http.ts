/** A client of the stream over HTTP, for tests under vitest: `status` is that of its answer, 0 before it came. */
import { onTestFinished } from 'vitest';
import { follow, type Follower } from './follow';

export type HttpFollower = Follower & { status(): number; failure(): string | null };

export function followHttp(
	url: string,
	cursor: string | null = null,
	source: string | null = null,
): HttpFollower {
	let status = 0;
	let failure: string | null = null;
	const stop = new AbortController();
	const open = (from: string | null) => {
		const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
		const query = new URLSearchParams();
		if (from !== null) query.set('cursor', from);
		if (source !== null) query.set('source', source);
		void fetch(`${url}/api/dashboard/stream?${query}`, { signal: stop.signal })
			.then((response) => {
				status = response.status;
				return response.body?.pipeTo(writable);
			})
			.catch((error: unknown) => {
				// the reader has left, and says no more than that
				if (stop.signal.aborted || error === undefined) return;
				failure = String((error as Error).cause ?? error);
				return writable.close().catch(() => {});
			});
		return readable;
	};
	const client = follow({ open }, cursor);
	onTestFinished(async () => {
		await client.leave();
		stop.abort();
	});
	return Object.assign(client, { status: () => status, failure: () => failure });
}

/** Sends one event, with an ingest key or without; resolves to the status of the answer. */
export async function post(
	url: string,
	event: { name: string; eventId?: string },
	key?: string,
): Promise<number> {
	const response = await fetch(`${url}/api/events`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
		body: JSON.stringify(event),
	});
	await response.body?.cancel();
	return response.status;
}
