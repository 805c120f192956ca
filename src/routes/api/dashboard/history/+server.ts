import { readView } from '$lib/server/http/view-param';
import { answerRange } from '../range-answer.server';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** `?range=30min|24h|7d|90d`, `?f=`, `?by=`, `?zone=Europe/Berlin` (default UTC): the type History of history.ts. */
export const GET: RequestHandler = async ({ url: { searchParams: query }, locals }) => {
	const view = readView(query, locals.viewer);
	return answerRange(query, async (range, zone) => {
		const history = await locals.history.read(range, view, zone);
		// in the spelling in which it was asked for
		return { ...history, zone: query.get('zone') || zone };
	});
};
