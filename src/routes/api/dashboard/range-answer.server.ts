import { error, json } from '@sveltejs/kit';
import { HISTORY_RANGES, type HistoryRange } from '$lib/history';
import { BusyError } from '$lib/server/history/readings';
import { ZoneError } from '$lib/server/history/range-query';
import { toZone } from '$lib/server/history/time-zone';

/** As long as a page waits before it asks again (stores/history.ts). */
const RETRY_AFTER_S = 5;

/**
 * Answers with what is read of the range and the zone that the query names, or says why it cannot be read now.
 * @throws a refusal, 400, that names the parameter
 */
export async function answerRange(
	query: URLSearchParams,
	read: (range: HistoryRange, zone: string) => Promise<object>,
): Promise<Response> {
	const asked = query.get('range') ?? '';
	const range = HISTORY_RANGES.find((one) => one === asked);
	if (!range)
		error(400, `range is "${asked.slice(0, 40)}": it must be one of ${HISTORY_RANGES.join(', ')}.`);
	const zone = query.get('zone') || 'UTC';
	const known = toZone(zone);
	if (known === null) error(400, new ZoneError(zone).message);
	try {
		return json(await read(range, known), { headers: { 'cache-control': 'no-store' } });
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
}
