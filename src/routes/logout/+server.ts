import { redirect } from '@sveltejs/kit';
import { clearSessionCookie } from '$lib/server/session-cookie';
import type { RequestHandler } from './$types';

/** Ends this browser's session; with `everywhere=true` in the form, those of all browsers. Their streams end within seconds. */
export const POST: RequestHandler = async ({ request, locals, cookies, url }) => {
	const form = await request.formData().catch(() => null);
	const { login, session } = locals;
	if (login && session) {
		if (form?.get('everywhere') === 'true') await login.sessions.endAll();
		else await login.sessions.end(session);
	}
	clearSessionCookie(cookies, url.protocol === 'https:');
	redirect(303, '/login');
};
