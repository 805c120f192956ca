import { error, json } from '@sveltejs/kit';
import { parseMoment } from '$lib/moment';
import { BeforeDataError } from '$lib/server/moment/read-moment';
import { CrowdedError } from '$lib/server/moment/moments';

/** As long as a page waits before it asks again (stores/moment.ts). */
const RETRY_AFTER_S = 3;
const NO_STORE = { 'cache-control': 'no-store' };
/** nginx's status for a client that has left; it is not there to read it */
const LEFT = 499;

/**
 * The time that a query names, ms since 1970.
 * @param now the database's time @throws a refusal, 400, that names the parameter
 */
export function readAt(query: URLSearchParams, now: string): number {
	const text = query.get('at') ?? '';
	const at = parseMoment(text);
	if (at === null)
		error(
			400,
			`at is ${JSON.stringify(text.slice(0, 40))}: it must be a time, such as 2026-03-01T12:00:00Z, of the years 1970 to 9998.`,
		);
	if (at > Date.parse(now))
		error(400, `at is ${new Date(at).toISOString()}: it must not be in the future. It is ${now}.`);
	return at;
}

/** Answers with what is read of a moment, or says why it cannot be read now. @throws a refusal, 400 */
export async function answerMoment(read: () => Promise<object>): Promise<Response> {
	try {
		return json(await read(), { headers: NO_STORE });
	} catch (reason) {
		if (reason instanceof BeforeDataError) error(400, reason.message);
		if (reason instanceof DOMException && reason.name === 'AbortError')
			return new Response(null, { status: LEFT });
		const why =
			reason instanceof CrowdedError ? 'too many are being read' : 'Postgres is not answering';
		return json(
			{ message: `This moment cannot be read now: ${why}.` },
			{ status: 503, headers: { ...NO_STORE, 'retry-after': `${RETRY_AFTER_S}` } },
		);
	}
}
