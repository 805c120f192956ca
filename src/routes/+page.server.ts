import type { PageServerLoad } from './$types';

/** The page's first figures (of one source with `?source=`), taken from the ring's head without a query: the stream goes on from the same cursor. */
export const load: PageServerLoad = ({ locals, url }) => ({
	state: locals.live.state(url.searchParams.get('source') || null),
	status: locals.live.status(),
	demo: locals.demo,
	loggedIn: locals.viewer?.kind === 'session',
	origin: url.origin,
});
