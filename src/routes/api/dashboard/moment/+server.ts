import { readView } from '$lib/server/http/view-param';
import { answerMoment, readAt } from '../moment-answer.server';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** `?at=` (ISO 8601), `?f=`, `?by=`: the page at that time, the type Moment of protocol.ts. */
export const GET: RequestHandler = ({ url, locals, request }) => {
	const view = readView(url.searchParams, locals.viewer);
	const at = readAt(url.searchParams, locals.live.status().now);
	return answerMoment(() => locals.moments.read({ ...view, at }, request.signal));
};
