import type { ServerLoadEvent } from '@sveltejs/kit';
import { HISTORY_RANGES } from '$lib/history';
import { readView } from '../lib/server/http/view-param';
import { withDeadline } from '../lib/server/db/deadline';

/** A page that waits longer is shown without, and asks again from the browser. */
const HISTORY_DEADLINE_MS = 1_000;

/**
 * A page's first figures (of the view that the address asks for), taken from the ring's head without a query: the stream goes on from
 * the same cursor. With `?range=` history too, in UTC: the browser knows its zone, we do not.
 */
export async function loadFirstFigures({ locals, url }: Pick<ServerLoadEvent, 'locals' | 'url'>) {
	const view = readView(url.searchParams, locals.viewer);
	await locals.viewLimits.admit(view, locals.network);
	const range = HISTORY_RANGES.find((one) => one === url.searchParams.get('range')) ?? null;
	const history =
		range &&
		(await withDeadline(
			locals.history.read(range, view, 'UTC'),
			HISTORY_DEADLINE_MS,
			'history',
		).catch(() => null));
	await locals.live.ready(view);
	return {
		range,
		history,
		state: locals.live.state(view),
		status: locals.live.status(),
		demo: locals.demo,
		loggedIn: locals.viewer?.kind === 'session',
		origin: url.origin + locals.basePath,
		keys: locals.sendingKeys,
	};
}
