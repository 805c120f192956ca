/** Asking an endpoint of the dashboard once, from a page that may leave meanwhile. */
import { parseText, type Parse } from './check';

/** Asks an endpoint with a query. @throws an AbortError, or the reason why there is no answer */
export type Read<Answer> = (
	url: string,
	query: URLSearchParams,
	signal: AbortSignal,
	fetcher?: typeof fetch,
) => Promise<Answer>;

/** @param what is asked for, for the error */
export function createRead<Answer>(what: string, parse: Parse<Answer>): Read<Answer> {
	return async (url, query, signal, fetcher = fetch) => {
		const headers = { accept: 'application/json' };
		const response = await fetcher(`${url}?${query}`, { headers, signal });
		const parsed = parseText(await response.text(), parse);
		if (!response.ok || !parsed.ok) throw new Error(`${what}: ${response.status}`);
		return parsed.value;
	};
}
