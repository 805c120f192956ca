import { error, json } from '@sveltejs/kit';
import { HISTORY_RANGES } from '$lib/protocol';
import { readView } from '$lib/server/http/view-param';
import { BusyError } from '$lib/server/history/history-cache';
import { ZoneError } from '$lib/server/history/range-query';
import { toZone } from '$lib/server/history/time-zone';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** As long as a page waits before it asks again (stores/history.ts). */
const RETRY_AFTER_S = 5;

/** `?range=30min|24h|7d|90d`, `?f=`, `?by=`, `?zone=Europe/Berlin` (default UTC): the type History of protocol.ts. */
export const GET: RequestHandler = async ({ url, locals }) => {
	const asked = url.searchParams.get('range') ?? '';
	const range = HISTORY_RANGES.find((one) => one === asked);
	if (!range)
		error(400, `range is "${asked.slice(0, 40)}": it must be one of ${HISTORY_RANGES.join(', ')}.`);
	const view = readView(url.searchParams, locals.viewer);
	const zone = url.searchParams.get('zone') || 'UTC';
	const known = toZone(zone);
	if (known === null) error(400, new ZoneError(zone).message);
	try {
		const history = await locals.history.read(range, view, known);
		// in the spelling in which it was asked for
		return json({ ...history, zone }, { headers: { 'cache-control': 'no-store' } });
	} catch (reason) {
		// Intl knows it, and Postgres does not
		if (reason instanceof ZoneError) error(400, new ZoneError(zone).message);
		const why =
			reason instanceof BusyError ? 'too much of it is being read' : 'Postgres is not answering';
		return json(
			{ message: `History cannot be read now: ${why}.` },
			{ status: 503, headers: { 'cache-control': 'no-store', 'retry-after': `${RETRY_AFTER_S}` } },
		);
	}
};
