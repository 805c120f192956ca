import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** Ready for traffic: migrated, the database answers, not shutting down. Otherwise 503, and what is missing; beside it, what troubles the database, and this process's clock. */
export const GET: RequestHandler = ({ locals }) => {
	const missing = locals.live.missing();
	const { reading, writing } = locals.live.status();
	return json(
		{ ready: missing.length === 0, missing, reading, writing, clock: new Date().toISOString() },
		{ status: missing.length === 0 ? 200 : 503, headers: { 'cache-control': 'no-store' } },
	);
};
