import { error, json } from '@sveltejs/kit';
import { INGEST_LIMITS } from '$lib/ingest-limits';
import { BusyError } from '$lib/server/history/readings';
import { parsePosition } from '$lib/server/history/session-path';
import { notNow } from '$lib/server/http/not-now';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** As long as a page waits before it asks again (stores/session.ts). */
const RETRY_AFTER_S = 5;
const HEADERS = { 'cache-control': 'no-store' };
/** What no text of Postgres holds: NUL, and half of a surrogate pair. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/**
 * `?session=`, `?before=`: the events of a session, newest first, a page at a time: the type SessionPath of session.ts. What a
 * share link hides is not in it; a session of which nothing is left is a 404, as one that never was.
 */
export const GET: RequestHandler = async ({ url: { searchParams: query }, locals }) => {
	const session = query.get('session') ?? '';
	const max = INGEST_LIMITS.sessionIdLength;
	if (session === '' || [...session].length > max || UNSTORABLE.test(session))
		error(
			400,
			`session is ${JSON.stringify(session.slice(0, 40))}: it must be the id of a session, 1 to ${max} characters.`,
		);
	const text = query.get('before');
	const before = text === null ? null : parsePosition(text);
	if (before === undefined)
		error(
			400,
			`before is ${JSON.stringify(text?.slice(0, 40))}: it must be what "older" of the page before said.`,
		);
	try {
		const path = await locals.sessions.read({
			...{ session, before },
			bound: locals.viewer?.filter ?? [],
		});
		if (path) return json(path, { headers: HEADERS });
	} catch (reason) {
		const why =
			reason instanceof BusyError ? 'too many are being read' : 'Postgres is not answering';
		return notNow(503, `The session cannot be read now: ${why}.`, RETRY_AFTER_S);
	}
	return json({ message: 'This session has no events.' }, { status: 404, headers: HEADERS });
};
