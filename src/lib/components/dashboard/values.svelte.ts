/** Whole lists of values on a page that is open: how they are asked for, and kept up to date. */
import { untrack } from 'svelte';
import type { PageView } from '../../address';
import type { Values } from '../../protocol';

/** Asks the server; rejects when there is no answer. */
export type ReadValues = (query: URLSearchParams, signal: AbortSignal) => Promise<Values>;

/** The present, beside RANGE_WORDS. */
export const LIVE_WORDS = { period: '30 min', before: 'the 30 minutes before those' } as const;

/** An open page asks again at most this often. */
const REST_MS = 2_000;

/** What asks for the most frequent values of one of the view's breakdowns. */
export function toListQuery(
	{ filter, by, range }: PageView,
	dimension: string,
	{ limit, text = '', zone }: { limit: number; text?: string; zone: string },
): URLSearchParams {
	const query = new URLSearchParams({ dimension, limit: String(limit), by: by.join() });
	for (const clause of filter) query.append('f', clause);
	if (text) query.set('q', text);
	if (range !== null) {
		query.set('range', range);
		query.set('zone', zone);
	}
	return query;
}

/**
 * Reads what is asked for, and again when `change` is another value than at the last reading. A failure keeps what was
 * there. Call it while a component is set up.
 */
export function createValues(
	ask: () => { read: ReadValues; query: URLSearchParams; change: unknown },
) {
	let answer = $state.raw<{ key: string; values: Values } | null>(null);
	const key = $derived(String(ask().query));

	async function follow(key: string, signal: AbortSignal) {
		let seen: unknown = follow;
		while (!signal.aborted) {
			const { read, query, change } = untrack(ask);
			if (change !== seen) {
				seen = change;
				const values = await read(query, signal).catch(() => null);
				if (values && !signal.aborted) answer = { key, values };
			}
			await new Promise((resolve) => setTimeout(resolve, REST_MS));
		}
	}
	$effect(() => {
		const leaving = new AbortController();
		void follow(key, leaving.signal);
		return () => leaving.abort();
	});

	return {
		/** null: not known yet */
		get values(): Values | null {
			return answer?.key === key ? answer.values : null;
		},
	};
}
