/**
 * Reloads the page once all of it is there to be had. Reloaded while its server restarts behind a proxy, a page becomes the
 * proxy's error page, and with instances of two versions side by side a page without its scripts: from neither does anything come back
 * by itself.
 */
import { toDelay } from './backoff';
import { after } from './environment';

export type ReloadOptions = {
	url?: string;
	reload?: () => void;
	fetch?: typeof fetch;
	after?: (ms: number, run: () => void) => () => void;
	/** in [0, 1) */
	random?: () => number;
};

const TIMEOUT_MS = 10_000;
/** Scripts of a build, as the page names them: their names hold a hash, so what was fetched once need not be fetched again. */
const SCRIPTS = /["']([^"'\s]*\/immutable\/[^"'\s]+\.js)["']/g;

/** @returns stops trying */
export function startReload({
	url = location.href,
	reload = () => location.reload(),
	fetch: fetcher = (...args) => fetch(...args),
	after: wait = after,
	random = Math.random,
}: ReloadOptions = {}): () => void {
	let stopped = false;
	let cancel = (): void => {};
	async function attempt(failures: number): Promise<void> {
		const isThere = await isServed(url, fetcher);
		if (stopped) return;
		if (isThere) return reload();
		cancel = wait(toDelay(failures, random()), () => void attempt(failures + 1));
	}
	void attempt(0);
	return () => {
		stopped = true;
		cancel();
	};
}

async function isServed(url: string, fetcher: typeof fetch): Promise<boolean> {
	try {
		const page = await fetcher(url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
		if (page.status !== 200) return false;
		const html = await page.text();
		const scripts = new Set([...html.matchAll(SCRIPTS)].map(([, path]) => path ?? ''));
		const answers = await Promise.all(
			[...scripts].map(async (path) => {
				const signal = AbortSignal.timeout(TIMEOUT_MS);
				const answer = await fetcher(new URL(path, url).href, { signal });
				await answer.arrayBuffer();
				return answer.status;
			}),
		);
		return answers.every((status) => status === 200);
	} catch {
		return false;
	}
}
