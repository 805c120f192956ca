import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** What this process says of itself, for the status page. From memory: also while the database is away. */
export const GET: RequestHandler = ({ locals }) =>
	json(locals.health(), { headers: { 'cache-control': 'no-store' } });
