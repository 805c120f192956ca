import { error, fail, redirect } from '@sveltejs/kit';
import { readAddress, toNetwork } from '$lib/server/http/client-address';
import { readForm } from '$lib/server/http/form-body';
import { toPath } from '$lib/server/access/safe-redirect';
import { setViewerCookie, toSite } from '$lib/server/access/viewer-cookie';
import type { Actions, PageServerLoad } from './$types';

/** Longer ones are not hashed. */
const MAX_LENGTH = 1_024;

export const load: PageServerLoad = ({ locals, url }) => {
	// where there is nothing to log in to, there is nothing to ask
	if (!locals.login) redirect(303, locals.basePath + toPath(url.searchParams.get('to')));
};

export const actions: Actions = {
	/** One answer for every failure: a wrong password, too many attempts, a body that is none. */
	async default(event) {
		const { locals, cookies, url, getClientAddress } = event;
		if (!locals.login) error(404, 'This dashboard has no password.');
		const form = await readForm(event);
		const attempt = form?.get('password');
		const text = typeof attempt === 'string' && attempt.length <= MAX_LENGTH ? attempt : '';
		const network = toNetwork(readAddress(getClientAddress));
		if (!(await locals.login.password.matches(text, network))) return fail(401, { refused: true });
		setViewerCookie(cookies, await locals.login.viewers.begin(), null, toSite(url, locals));
		redirect(303, locals.basePath + toPath(url.searchParams.get('to')));
	},
};
