import { renewViewerCookie, toSite } from '$lib/server/access/viewer-cookie';
import type { LayoutServerLoad } from './$types';

// SvelteKit would redirect `/status/` to `/status`, at the root also when the proxy serves us below a path
export const trailingSlash = 'ignore';

/** Loading a page extends the login; what a page holds, and the cookie that comes with it, is for one browser alone. */
export const load: LayoutServerLoad = ({ locals, cookies, url, setHeaders }) => {
	setHeaders({ 'cache-control': 'private, no-cache' });
	renewViewerCookie(cookies, locals, toSite(url, locals));
};
