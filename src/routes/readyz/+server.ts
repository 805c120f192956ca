import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/**
 * Ready for traffic: migrated, the database answers, not shutting down. Otherwise 503, and what is missing. Beside it, and no reason to send
 * people elsewhere: whether NOTIFY arrives (without it the table is polled), what is wrong with the database and the statement that
 * fixes it, and this process's clock.
 */
export const GET: RequestHandler = ({ locals }) => {
	const missing = locals.live.missing();
	const { listener, reading, writing, fix } = locals.live.status();
	return json(
		{
			ready: missing.length === 0,
			missing,
			listener,
			reading,
			writing,
			fix,
			clock: new Date().toISOString(),
		},
		{ status: missing.length === 0 ? 200 : 503, headers: { 'cache-control': 'no-store' } },
	);
};
