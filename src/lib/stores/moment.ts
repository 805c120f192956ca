/** The page at a moment: asked for once, and again while the server cannot answer. It does not change afterwards. */
import { readable, type Readable } from 'svelte/store';
import { toMomentText } from '../moment';
import type { Moment } from '../protocol';
import { parseText } from './check';
import { toEnvironment, type Environment } from './environment';
import { parseMessage, parseMomentState } from './parse';
import { toReason, UNREACHABLE } from './status';

export type MomentView = {
	/** null: not there yet */
	moment: Moment | null;
	/** a sentence, why not; null: it is being read */
	problem: string | null;
};

export type MomentOptions = {
	/** ms since 1970 */
	at: number;
	/** the values of `f`, and the breakdowns */
	filter: readonly string[];
	by: readonly string[];
	/** what the page was rendered from */
	initial?: Moment | null;
	url?: string;
	environment?: Pick<Environment, 'after'> | null;
	fetch?: typeof fetch;
};

export const RETRY_MS = 3_000;

/** Asks when it is subscribed to, and again while that fails. */
export function createMoment({
	at,
	filter,
	by,
	initial = null,
	url = '/api/dashboard/moment',
	environment = toEnvironment(),
	...options
}: MomentOptions): Readable<MomentView> {
	const fetcher: typeof fetch = (...args) => (options.fetch ?? fetch)(...args);
	const query = new URLSearchParams({ at: toMomentText(at), by: by.join() });
	for (const clause of filter) query.append('f', clause);

	/** `isFinal`: to ask again would change nothing */
	async function ask(signal: AbortSignal): Promise<MomentView & { isFinal: boolean }> {
		const fail = (problem: string, isFinal = false) => ({ moment: null, problem, isFinal });
		try {
			const headers = { accept: 'application/json' };
			const response = await fetcher(`${url}?${query}`, { headers, signal });
			const text = await response.text();
			const refused = response.ok ? null : parseText(text, parseMessage);
			if (refused)
				return fail(
					refused.ok ? refused.value.message : toReason(response.status),
					response.status === 400,
				);
			const parsed = parseText(text, parseMomentState);
			return parsed.ok
				? { moment: parsed.value, problem: null, isFinal: true }
				: fail('Something else answers in the place of the server.');
		} catch {
			return fail(UNREACHABLE);
		}
	}

	return readable<MomentView>({ moment: initial, problem: null }, (set) => {
		if (!environment || initial) return;
		// the server stops reading for a page that has left
		const leaving = new AbortController();
		let cancel = (): void => {};
		async function run() {
			const { isFinal, ...view } = await ask(leaving.signal);
			if (leaving.signal.aborted) return;
			set(view);
			if (!isFinal) cancel = environment?.after(RETRY_MS, () => void run()) ?? cancel;
		}
		void run();
		return () => {
			leaving.abort();
			cancel();
		};
	});
}
