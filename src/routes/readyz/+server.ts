import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/**
 * Ready for traffic: migrated, the database answers, not shutting down. Otherwise 503, and what is missing. Beside it, and no reason to send
 * people elsewhere: whether NOTIFY arrives (without it the table is looked at), what troubles the database, and this process's clock.
 */
export const GET: RequestHandler = ({ locals }) => {
	const missing = locals.live.missing();
	const { listener, reading, writing } = locals.live.status();
	return json(
		{
			ready: missing.length === 0,
			missing,
			listener,
			reading,
			writing,
			clock: new Date().toISOString(),
		},
		{ status: missing.length === 0 ? 200 : 503, headers: { 'cache-control': 'no-store' } },
	);
};
