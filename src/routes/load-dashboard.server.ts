import type { ServerLoadEvent } from '@sveltejs/kit';
import { HISTORY_RANGES } from '$lib/protocol';
import { toChosenSource } from '../lib/server/http/source-param';
import { withDeadline } from '../lib/server/db/deadline';

/** A page that waits longer is shown without, and asks again from the browser. */
const HISTORY_DEADLINE_MS = 1_000;

/**
 * A page's first figures (of one source with `?source=`), taken from the ring's head without a query: the stream goes on from
 * the same cursor. With `?range=` history too, in UTC: the browser knows its zone, we do not.
 */
export async function loadFirstFigures({ locals, url }: Pick<ServerLoadEvent, 'locals' | 'url'>) {
	const source = toChosenSource(url.searchParams);
	const range = HISTORY_RANGES.find((one) => one === url.searchParams.get('range')) ?? null;
	const history =
		range &&
		(await withDeadline(
			locals.history.read(range, source, 'UTC'),
			HISTORY_DEADLINE_MS,
			'history',
		).catch(() => null));
	return {
		range,
		history,
		state: locals.live.state(source),
		status: locals.live.status(),
		demo: locals.demo,
		loggedIn: locals.viewer?.kind === 'session',
		origin: url.origin + locals.basePath,
		keys: locals.sendingKeys,
	};
}
