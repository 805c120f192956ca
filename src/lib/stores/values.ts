/** The values of a dimension that `GET /api/dashboard/values` knows. */
import type { Values } from '../history';
import { parseText } from './check';
import { parseValues } from './parse';

/** @throws an AbortError, or the reason why there are none */
export async function readValues(
	url: string,
	query: URLSearchParams,
	signal: AbortSignal,
	fetcher: typeof fetch = fetch,
): Promise<Values> {
	const headers = { accept: 'application/json' };
	const response = await fetcher(`${url}?${query}`, { headers, signal });
	const parsed = parseText(await response.text(), parseValues);
	if (!response.ok || !parsed.ok) throw new Error(`values: ${response.status}`);
	return parsed.value;
}
