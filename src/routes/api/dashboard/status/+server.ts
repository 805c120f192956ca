import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** The content of a `ping`, as a plain answer: EventSource cannot see why it failed, and the clocks' offset is measured here. */
export const GET: RequestHandler = ({ locals }) =>
	json(locals.live.status(), { headers: { 'cache-control': 'no-store' } });
