import { error, json } from '@sveltejs/kit';
import { MAX_PAGE_LENGTH, PAGE_LENGTH } from '$lib/feed';
import { MAX_SEARCH_LENGTH } from '$lib/search';
import { BusyError } from '$lib/server/history/readings';
import { PositionError } from '$lib/server/history/older-events';
import { notNow } from '$lib/server/http/not-now';
import { readFilter } from '$lib/server/http/view-param';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

const RETRY_AFTER_S = 2;

/**
 * `?f=`, `?q=` (a text that the events contain), `?before=` (the id of an event, or `next` of the page before), `?limit=`:
 * events from the table, newest first, the type OlderEvents of feed.ts.
 */
export const GET: RequestHandler = async ({ url: { searchParams: query }, locals }) => {
	const filter = readFilter(query);
	const limit = Number(query.get('limit') ?? PAGE_LENGTH);
	if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_LENGTH)
		error(
			400,
			`limit is ${JSON.stringify(query.get('limit')?.slice(0, 40))}: it must be a whole number from 1 to ${MAX_PAGE_LENGTH}.`,
		);
	const search = query.get('q') ?? '';
	if (search.length > MAX_SEARCH_LENGTH)
		error(400, `q has ${search.length} characters: it may have at most ${MAX_SEARCH_LENGTH}.`);
	const refusal = await locals.viewLimits.admitPage(locals.network);
	if (refusal) return notNow(429, refusal.message, refusal.waitS);
	const bound = locals.viewer?.filter ?? [];
	try {
		const page = await locals.older.read({
			filter,
			bound,
			before: query.get('before'),
			search,
			limit,
		});
		return json(page, { headers: { 'cache-control': 'no-store' } });
	} catch (reason) {
		if (reason instanceof PositionError) error(reason.status, reason.message);
		const why =
			reason instanceof BusyError ? 'too many pages are being read' : 'Postgres is not answering';
		return notNow(503, `Older events cannot be read now: ${why}.`, RETRY_AFTER_S);
	}
};
