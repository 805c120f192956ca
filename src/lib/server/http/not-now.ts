import { json } from '@sveltejs/kit';

/**
 * An answer that a later request may not get.
 *
 * @param waitS when to ask again, in seconds
 */
export function notNow(status: 429 | 503, message: string, waitS: number): Response {
	const headers = { 'cache-control': 'no-store', 'retry-after': `${waitS}` };
	return json({ message }, { status, headers });
}
