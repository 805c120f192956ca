import { json } from '@sveltejs/kit';
import { readView } from '$lib/server/http/view-param';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** As long as a page waits before it asks again (stores/before.ts). */
const RETRY_AFTER_S = 60;

/** `?f=`, `?by=`: the half hour before the last half hour, the type Before of history.ts. */
export const GET: RequestHandler = async ({ url, locals }) => {
	const view = readView(url.searchParams, locals.viewer);
	await locals.viewLimits.admit(view, locals.network);
	try {
		const before = await locals.before.read(view);
		return json(before, { headers: { 'cache-control': 'no-store' } });
	} catch {
		// logged where it was read
		return json(
			{ message: 'The half hour before cannot be read now.' },
			{ status: 503, headers: { 'cache-control': 'no-store', 'retry-after': `${RETRY_AFTER_S}` } },
		);
	}
};
