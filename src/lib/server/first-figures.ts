import type { ServerLoadEvent } from '@sveltejs/kit';

/** A page's first figures (of one source with `?source=`), taken from the ring's head without a query: the stream goes on from the same cursor. */
export const loadFirstFigures = ({ locals, url }: Pick<ServerLoadEvent, 'locals' | 'url'>) => ({
	state: locals.live.state(url.searchParams.get('source') || null),
	status: locals.live.status(),
	demo: locals.demo,
	loggedIn: locals.viewer?.kind === 'session',
	origin: url.origin,
	keys: locals.sendingKeys,
});
