import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** What this process says of itself, for the status page. From memory: also while the database is away. */
export const GET: RequestHandler = ({ locals }) =>
	json(locals.health(), { headers: { 'cache-control': 'no-store' } });
