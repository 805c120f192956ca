import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** Ready for traffic: migrated, the database answers, not shutting down. Otherwise 503, and what is missing. */
export const GET: RequestHandler = ({ locals }) => {
	const missing = locals.live.missing();
	return json(
		{ ready: missing.length === 0, missing },
		{ status: missing.length === 0 ? 200 : 503, headers: { 'cache-control': 'no-store' } },
	);
};
