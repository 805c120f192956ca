/**
 * What a process says of itself, asked every few seconds while the page is visible. Not the stream: this page must answer when the
 * stream cannot, and what it shows is no event. Refuses to know how it looks.
 */
import { readable, type Readable } from 'svelte/store';
import type { Health } from '../health';
import { toEnvironment, type Environment } from './environment';
import { parseHealth } from './parse';
import { ask } from './status';

export type Look = {
	/** the newest answer */
	health: Health;
	/** ms epoch of the browser when it came; null: with the page */
	at: number | null;
	/** why the last question got none, a sentence; null: it did */
	failure: string | null;
};

export const HEALTH_URL = '/api/dashboard/health';
/** Between an answer and the next question: a page that is left open costs next to nothing. */
export const ASK_MS = 5_000;

/** @param initial what the page was rendered from */
export function createHealth(
	initial: Health,
	{
		url = HEALTH_URL,
		environment = toEnvironment(),
		fetch: fetcher = (...args) => fetch(...args),
	}: { url?: string; environment?: Environment | null; fetch?: typeof fetch } = {},
): Readable<Look> {
	let look: Look = { health: initial, at: null, failure: null };
	if (!environment) return readable(look);
	const { after, now, document } = environment;
	return readable(look, (set) => {
		let stopped = false;
		let cancel = (): void => {};

		async function question(): Promise<void> {
			cancel();
			cancel = () => {};
			const answer = await ask(url, parseHealth, fetcher);
			if (stopped) return;
			look = answer.ok
				? { health: answer.value, at: now(), failure: null }
				: { ...look, failure: answer.reason };
			set(look);
			plan();
		}
		function plan(): void {
			cancel();
			// hidden: the next question comes when it is visible again
			if (!document.hidden) cancel = after(ASK_MS, () => void question());
		}
		function onVisible(): void {
			if (document.hidden) cancel();
			else void question();
		}

		document.addEventListener('visibilitychange', onVisible);
		plan();
		return () => {
			stopped = true;
			cancel();
			document.removeEventListener('visibilitychange', onVisible);
		};
	});
}
