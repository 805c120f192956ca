import { error, json } from '@sveltejs/kit';
import { HISTORY_RANGES, INGEST_LIMITS } from '$lib/protocol';
import { textFault } from '$lib/server/json-limits';
import { ZoneError } from '$lib/server/read-history';
import type { RequestHandler } from './$types';

/** No source is longer, and no zone. */
const MAX_LENGTH = INGEST_LIMITS.sourceLength;

/** `?range=30min|24h|7d|90d`, `?source=`, `?zone=Europe/Berlin` (default UTC): the type History of protocol.ts. */
export const GET: RequestHandler = async ({ url, locals }) => {
	const asked = url.searchParams.get('range') ?? '';
	const range = HISTORY_RANGES.find((one) => one === asked);
	if (!range)
		error(400, `range is "${asked.slice(0, 40)}": it must be one of ${HISTORY_RANGES.join(', ')}.`);
	const source = url.searchParams.get('source') || null;
	const zone = url.searchParams.get('zone') || 'UTC';
	for (const [name, value] of Object.entries({ source, zone })) {
		if (value && value.length > MAX_LENGTH)
			error(400, `${name} has ${value.length} characters: it may have at most ${MAX_LENGTH}.`);
		const fault = value && textFault(value);
		if (fault) error(400, `${name} ${fault}.`);
	}
	try {
		const history = await locals.history.read(range, source, zone);
		return json(history, { headers: { 'cache-control': 'no-store' } });
	} catch (reason) {
		if (reason instanceof ZoneError) error(400, reason.message);
		error(503, 'History cannot be read now: Postgres is not answering.');
	}
};
