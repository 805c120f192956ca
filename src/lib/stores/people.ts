/** The list of who is here that `GET /api/dashboard/people` answers. */
import type { PeopleList } from '../people';
import { parseText } from './check';
import { parsePeople } from './parse';

/** @throws an AbortError, or the reason why there is none */
export async function readPeople(
	url: string,
	query: URLSearchParams,
	signal: AbortSignal,
	fetcher: typeof fetch = fetch,
): Promise<PeopleList> {
	const headers = { accept: 'application/json' };
	const response = await fetcher(`${url}?${query}`, { headers, signal });
	const parsed = parseText(await response.text(), parsePeople);
	if (!response.ok || !parsed.ok) throw new Error(`people: ${response.status}`);
	return parsed.value;
}
