import { error, json } from '@sveltejs/kit';
import { notNow } from '$lib/server/http/not-now';
import { readFilter } from '$lib/server/http/view-param';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** `?f=`: who is here now under a filter, the type PeopleList of people.ts. */
export const GET: RequestHandler = async ({ url, locals }) => {
	if (!locals.people) error(404, 'Presence is switched off on this server.');
	const filter = readFilter(url.searchParams);
	const refusal = await locals.viewLimits.admitPage(locals.network);
	if (refusal) return notNow(429, refusal.message, refusal.waitS);
	const list = await locals.people.list({ filter, bound: locals.viewer?.filter ?? [] });
	if (!list)
		error(400, 'People have no event name, user or property to filter by, or were not read yet.');
	return json(list, { headers: { 'cache-control': 'no-store' } });
};
