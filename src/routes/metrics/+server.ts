import { text } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** For Prometheus, with `Authorization: Bearer` and METRICS_TOKEN. */
export const GET: RequestHandler = async ({ locals }) =>
	text(await locals.metrics.scrape(), {
		headers: { 'content-type': locals.metrics.contentType, 'cache-control': 'no-store' },
	});
