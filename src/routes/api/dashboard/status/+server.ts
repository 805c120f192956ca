import { json } from '@sveltejs/kit';
import { renewViewerCookie, toSite } from '$lib/server/access/viewer-cookie';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/**
 * The content of a `ping`, as a plain answer: EventSource cannot see why it failed, and the clocks' offset is measured here. That is
 * what an open page asks every few minutes: it keeps a screen that is never reloaded logged in.
 */
export const GET: RequestHandler = ({ locals, cookies, url }) => {
	renewViewerCookie(cookies, locals, toSite(url, locals));
	return json(locals.live.status(), { headers: { 'cache-control': 'no-store' } });
};
