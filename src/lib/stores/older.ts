/** Pages of older events that `GET /api/dashboard/events` answers. */
import type { OlderEvents } from '../feed';
import { parseText } from './check';
import { parseOlder } from './parse';

/** @throws an AbortError, or the reason why there are none */
export async function readOlder(
	url: string,
	query: URLSearchParams,
	signal: AbortSignal,
	fetcher: typeof fetch = fetch,
): Promise<OlderEvents> {
	const headers = { accept: 'application/json' };
	const response = await fetcher(`${url}?${query}`, { headers, signal });
	const parsed = parseText(await response.text(), parseOlder);
	if (!response.ok || !parsed.ok) throw new Error(`older events: ${response.status}`);
	return parsed.value;
}
