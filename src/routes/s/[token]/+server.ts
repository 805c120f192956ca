import { error, redirect } from '@sveltejs/kit';
import { setViewerCookie, toSite, VIEWER_COOKIE } from '$lib/server/access/viewer-cookie';
import { toPath } from '$lib/server/access/safe-redirect';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** A share link: lets this browser look for as long as the link lives. `?to=/kiosk` names where to. */
export const GET: RequestHandler = async ({ params, locals, cookies, url, setHeaders }) => {
	setHeaders({ 'cache-control': 'no-store' });
	const to = locals.basePath + toPath(url.searchParams.get('to'));
	if (!locals.login) redirect(303, to);
	const { viewers } = locals.login;
	const viewer = await viewers.find(params.token).catch(() => undefined);
	if (viewer === undefined)
		error(503, 'Cannot check this link right now: the database is not responding.');
	// the token of a session is no address
	if (viewer?.kind !== 'link') error(404, 'This link has expired, was revoked, or does not exist.');
	const own = cookies.get(VIEWER_COOKIE);
	// a viewer with the password keeps that session
	const before = own === undefined ? null : await viewers.find(own).catch(() => null);
	if (before?.kind !== 'session')
		setViewerCookie(cookies, params.token, viewer.expiresAt, toSite(url, locals));
	redirect(303, to);
};
