import { error, json } from '@sveltejs/kit';
import { VIEWER_COOKIE } from '$lib/server/access/viewer-cookie';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/**
 * A token for `/api/dashboard/stream?token=`, for minutes, for viewers: `{"token","expiresAt"}` (ISO 8601). A stream that was
 * opened with it ends when it does, or when the viewer who asked for it is ended.
 */
export const POST: RequestHandler = async ({ locals, cookies, setHeaders }) => {
	setHeaders({ 'cache-control': 'no-store' });
	const own = cookies.get(VIEWER_COOKIE);
	if (!locals.login || !locals.viewer || own === undefined)
		error(404, 'This dashboard is public: its stream needs no token.');
	const { token, expiresAt } = await locals.login.tokens.issue(own);
	return json({ token, expiresAt: new Date(expiresAt).toISOString() }, { status: 201 });
};
