/** The half hour before the last half hour, on an open page: asked for once a minute while it is visible. */
import { readable, type Readable } from 'svelte/store';
import type { Before } from '../history';
import { toEnvironment, type Environment } from './environment';
import { parseText } from './check';
import { parseBefore } from './parse';

/** As long as the server keeps it. */
export const BEFORE_MS = 60_000;

export type BeforeOptions = {
	/** the values of `f`, and the breakdowns */
	filter: readonly string[];
	by: readonly string[];
	url?: string;
	environment?: Pick<Environment, 'document' | 'after'> | null;
	fetch?: typeof fetch;
};

/** null: not known. A failure keeps nothing: an old answer would be compared with the wrong half hour. */
export function createBefore({
	filter,
	by,
	url = '/api/dashboard/before',
	environment = toEnvironment(),
	...options
}: BeforeOptions): Readable<Before | null> {
	const fetcher: typeof fetch = (...args) => (options.fetch ?? fetch)(...args);
	const query = new URLSearchParams({ by: by.join() });
	for (const clause of filter) query.append('f', clause);

	async function ask(signal: AbortSignal): Promise<Before | null> {
		try {
			const headers = { accept: 'application/json' };
			const response = await fetcher(`${url}?${query}`, { headers, signal });
			if (!response.ok) return null;
			const parsed = parseText(await response.text(), parseBefore);
			return parsed.ok ? parsed.value : null;
		} catch {
			return null;
		}
	}

	return readable<Before | null>(null, (set) => {
		if (!environment) return;
		const { document, after } = environment;
		const leaving = new AbortController();
		let cancel = (): void => {};
		let isDue = true;
		async function run() {
			// a hidden page asks when it is looked at again
			if (!isDue || document.hidden) return;
			isDue = false;
			const before = await ask(leaving.signal);
			if (leaving.signal.aborted) return;
			set(before);
			cancel = after(BEFORE_MS, () => {
				isDue = true;
				void run();
			});
		}
		const onVisible = () => void run();
		document.addEventListener('visibilitychange', onVisible);
		void run();
		return () => {
			leaving.abort();
			cancel();
			document.removeEventListener('visibilitychange', onVisible);
		};
	});
}
