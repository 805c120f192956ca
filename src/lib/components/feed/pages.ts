/** How pages of older events are asked for, and which events they hold. Pure. */
import type { ActivityEvent } from '../../protocol';

/** @param before null: the newest */
export function toPageQuery(
	filter: readonly string[],
	before: string | null,
	search: string,
): URLSearchParams {
	const query = new URLSearchParams(filter.map((clause) => ['f', clause]));
	if (before !== null) query.set('before', before);
	if (search !== '') query.set('q', search);
	return query;
}

/** @returns the `eventId` of each */
export const toIds = (events: readonly ActivityEvent[] = []): Set<string> =>
	new Set(events.map(({ eventId }) => eventId));
