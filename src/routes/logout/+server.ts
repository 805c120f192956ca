import { redirect } from '@sveltejs/kit';
import { readForm } from '$lib/server/http/form-body';
import { clearViewerCookie, toSite } from '$lib/server/access/viewer-cookie';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** Ends this browser's session; with `everywhere=true` in the form, those of all browsers. Their streams end within seconds. */
export const POST: RequestHandler = async (event) => {
	const form = await readForm(event);
	const { locals, cookies, url } = event;
	const { login, viewer } = locals;
	if (login && viewer?.kind === 'session') {
		if (form?.get('everywhere') === 'true') await login.viewers.endAll();
		else await login.viewers.end(viewer);
	}
	clearViewerCookie(cookies, toSite(url, locals));
	redirect(303, `${locals.basePath}/login`);
};
