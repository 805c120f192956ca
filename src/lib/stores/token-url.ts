/**
 * Where the stream is, with a token in the address, for who cannot send a cookie: what `createEventStream` asks for every attempt,
 * since a token is good for minutes. The permission to have one comes with the caller's `fetch`.
 */
import { parseToken } from './parse';
import { ask, Refusal } from './status';

export type TokenUrlOptions = {
	streamUrl?: string;
	tokensUrl?: string;
	/** of one source only */
	source?: string | null;
	fetch?: typeof fetch;
};

/** @returns the address to connect to; rejects with a Refusal that says why there is no token */
export function createTokenUrl({
	streamUrl = '/api/dashboard/stream',
	tokensUrl = '/api/tokens',
	source = null,
	fetch: fetcher = (...args) => fetch(...args),
}: TokenUrlOptions = {}): (cursor: string | null) => Promise<string> {
	return async (cursor) => {
		const answer = await ask(tokensUrl, parseToken, fetcher, 'POST');
		if (!answer.ok) throw new Refusal(answer.reason);
		const query = new URLSearchParams({ token: answer.value.token });
		if (cursor) query.set('cursor', cursor);
		if (source !== null) query.set('source', source);
		return `${streamUrl}?${query}`;
	};
}
