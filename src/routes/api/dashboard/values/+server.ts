import { error, json } from '@sveltejs/kit';
import { readDimensionName, readView } from '$lib/server/http/view-param';
import { answerMoment, readAt } from '../moment-answer.server';
import { answerRange } from '../range-answer.server';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** Values in one answer: to sort more would hold up the process. */
const MAX_LIMIT = 5_000;
const MAX_TEXT = 200;

/**
 * `?dimension=country`, `?f=`, `?q=` (a part of the value), `?limit=`: the values of the last half hour, or with `?range=`
 * and `?zone=` of that, or with `?at=` of the half hour until then, with their counts, the most frequent first: the type Values of history.ts. `?by=` names the
 * breakdowns of a view that has the dimension among them, so that no other view has to be opened.
 */
export const GET: RequestHandler = async ({ url, locals, request }) => {
	const { searchParams: query } = url;
	const dimension = readDimensionName('dimension', query.get('dimension') ?? '');
	const limit = Number(query.get('limit') ?? 50);
	if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
		error(
			400,
			`limit is ${JSON.stringify(query.get('limit')?.slice(0, 40))}: it must be a whole number from 1 to ${MAX_LIMIT}.`,
		);
	const text = (query.get('q') ?? '').slice(0, MAX_TEXT);
	const { live, history, moments, viewLimits, network, viewer } = locals;
	const asked = readView(query, viewer);
	if (query.has('range'))
		return answerRange(query, (range, zone) =>
			history.values({ ...asked, range, zone, dimension, text, length: limit }),
		);
	if (query.has('at')) {
		const spec = { ...asked, at: readAt(query, live.status().now), dimension, text, length: limit };
		return answerMoment(() => moments.values(spec, request.signal));
	}
	const isOpen = query.has('by') && asked.by.includes(dimension);
	const view = isOpen ? asked : { ...asked, by: [dimension] };
	await viewLimits.admit(view, network);
	const values = await live.values(view, dimension, text, limit);
	return json(values, { headers: { 'cache-control': 'no-store' } });
};
