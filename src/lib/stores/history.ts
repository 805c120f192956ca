/**
 * A range of history on an open page: asked for at once and then again and again, while it is visible. A failure keeps
 * what was there and says why. Refuses to know how any of it looks, and has nothing to do with the stream.
 */
import { readable, type Readable } from 'svelte/store';
import type { History, HistoryRange } from '../history';
import { toEnvironment, type Environment } from './environment';
import { parseText } from './check';
import { parseHistory } from './parse';
import { toReason, UNREACHABLE } from './status';

export type HistoryView = {
	/** null: nothing has arrived yet */
	history: History | null;
	/** a sentence, why the last attempt failed; null: it did not */
	problem: string | null;
};

export type HistoryOptions = {
	range: HistoryRange;
	/** the values of `f`, and the breakdowns */
	filter: readonly string[];
	by: readonly string[];
	/** IANA time zone of the viewer */
	zone: string;
	/** what the page was rendered from */
	initial?: History | null;
	url?: string;
	environment?: Pick<Environment, 'document' | 'after'> | null;
	fetch?: typeof fetch;
};

/** About a bucket's tenth, and no more often than the server counts. */
export const REFRESH_MS: Record<HistoryRange, number> = {
	'30min': 10_000,
	'24h': 30_000,
	'7d': 120_000,
	'90d': 300_000,
};
export const RETRY_MS = 5_000;
const TIMEOUT_MS = 10_000;

/** Asks while it is subscribed to, and again when the answer grows old or fails. */
export function createHistory({
	range,
	filter,
	by,
	zone,
	initial = null,
	url = '/api/dashboard/history',
	environment = toEnvironment(),
	...options
}: HistoryOptions): Readable<HistoryView> {
	const fetcher: typeof fetch = (...args) => (options.fetch ?? fetch)(...args);
	const query = new URLSearchParams({ range, zone, by: by.join() });
	for (const clause of filter) query.append('f', clause);
	let view: HistoryView = { history: initial, problem: null };
	if (!environment) return readable(view);
	const { document } = environment;

	async function ask(): Promise<HistoryView> {
		const fail = (problem: string) => ({ history: view.history, problem });
		try {
			const response = await fetcher(`${url}?${query}`, {
				cache: 'no-store',
				headers: { accept: 'application/json' },
				signal: AbortSignal.timeout(TIMEOUT_MS),
			});
			if (!response.ok) return fail(toReason(response.status));
			const parsed = parseText(await response.text(), parseHistory);
			return parsed.ok
				? { history: parsed.value, problem: null }
				: fail('Something else answers in the place of the server.');
		} catch {
			return fail(UNREACHABLE);
		}
	}

	return readable(view, (set) => {
		let left = false;
		let asking = false;
		let cancel = (): void => {};
		const run = async (): Promise<void> => {
			cancel();
			// a hidden page asks when it is visible again
			if (asking || left || document.hidden) return;
			asking = true;
			view = await ask();
			asking = false;
			if (left) return;
			set(view);
			cancel = environment.after(isWaiting(view) ? RETRY_MS : REFRESH_MS[range], () => void run());
		};
		const onVisible = () => void run();
		document.addEventListener('visibilitychange', onVisible);
		void run();
		return () => {
			left = true;
			cancel();
			document.removeEventListener('visibilitychange', onVisible);
		};
	});
}

/** It failed, or nothing has been counted yet: that is soon over. */
function isWaiting({ history, problem }: HistoryView): boolean {
	return problem !== null || !history || history.begins === null;
}
