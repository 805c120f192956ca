/** How whole lists of values are asked for. Pure. */
import type { PageView } from '../../address';
import { toMomentText } from '../../moment';
import type { Values } from '../../history';

/** Asks the server; rejects when there is no answer. */
export type ReadValues = (query: URLSearchParams, signal: AbortSignal) => Promise<Values>;

/** The present, beside RANGE_WORDS. */
export const LIVE_WORDS = { period: '30 min', before: 'the 30 minutes before those' } as const;

/** What asks for the most frequent values of one of the view's breakdowns. */
export function toListQuery(
	{ filter, by, range, at = null }: PageView,
	dimension: string,
	{ limit, text = '', zone }: { limit: number; text?: string; zone: string },
): URLSearchParams {
	const query = new URLSearchParams({ dimension, limit: String(limit), by: by.join() });
	for (const clause of filter) query.append('f', clause);
	if (text) query.set('q', text);
	if (range === null && at !== null) query.set('at', toMomentText(at));
	if (range !== null) {
		query.set('range', range);
		query.set('zone', zone);
	}
	return query;
}
