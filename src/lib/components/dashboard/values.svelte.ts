/** Keeps a list of values on an open page up to date. */
import { untrack } from 'svelte';
import type { Values } from '../../history';
import type { ReadValues } from './list-query';

/** An open page asks again at most this often. */
const REST_MS = 2_000;

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
