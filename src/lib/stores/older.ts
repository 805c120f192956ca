/** Pages of older events that `GET /api/dashboard/events` answers. */
import { NotNowError, type OlderEvents } from '../feed';
import { parseText } from './check';
import { parseOlder } from './parse';

/** Refusals that pass: too many at a time, a server or proxy that is not ready. */
const PASSING = [429, 502, 503, 504];

/** @throws an AbortError, a NotNowError, or the reason why there are none */
export async function readOlder(
	url: string,
	query: URLSearchParams,
	signal: AbortSignal,
	fetcher: typeof fetch = fetch,
): Promise<OlderEvents> {
	const headers = { accept: 'application/json' };
	const response = await fetcher(`${url}?${query}`, { headers, signal }).catch((error: unknown) => {
		throw signal.aborted ? error : new NotNowError(null, String(error));
	});
	if (PASSING.includes(response.status)) {
		const seconds = Number(response.headers.get('retry-after'));
		throw new NotNowError(seconds > 0 ? seconds * 1_000 : null, `status ${response.status}`);
	}
	const parsed = parseText(await response.text(), parseOlder);
	if (!response.ok || !parsed.ok) throw new Error(`older events: ${response.status}`);
	return parsed.value;
}
