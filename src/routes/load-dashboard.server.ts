import { error, type ServerLoadEvent } from '@sveltejs/kit';
import { toFirstLook } from '$lib/format';
import { HISTORY_RANGES } from '$lib/history';
import type { ActivityEvent } from '$lib/protocol';
import { readView } from '../lib/server/http/view-param';
import { readAt } from './api/dashboard/moment-answer.server';
import { withDeadline } from '../lib/server/db/deadline';

/** A page that waits longer is shown without, and asks again from the browser. */
const HISTORY_DEADLINE_MS = 1_000;

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * A page's first figures (of the view that the address asks for), taken from the ring's head without a query: the stream goes on from
 * the same cursor. With `?at=` that moment,
 * with `?range=` history too, in UTC: the browser knows its zone, we do not.
 */
export async function loadFirstFigures({
	locals,
	url,
	request,
}: Pick<ServerLoadEvent, 'locals' | 'url'> & Partial<Pick<ServerLoadEvent, 'request'>>) {
	const view = readView(url.searchParams, locals.viewer);
	await locals.viewLimits.admit(view, locals.network);
	const at = url.searchParams.has('at') ? readAt(url.searchParams, locals.live.status().now) : null;
	const asked = url.searchParams.get('range');
	const range = at === null ? (HISTORY_RANGES.find((one) => one === asked) ?? null) : null;
	const history =
		range &&
		(await withDeadline(
			locals.history.read(range, view, 'UTC'),
			HISTORY_DEADLINE_MS,
			'history',
		).catch(() => null));
	const moment =
		at !== null && request
			? await withDeadline(
					locals.moments.read({ ...view, at }, request.signal),
					HISTORY_DEADLINE_MS,
					'a moment',
				).catch(() => null)
			: null;
	const event = await findEvent(url.searchParams.get('event'), locals);
	await locals.live.ready(view);
	return {
		range,
		history,
		at,
		moment,
		event,
		state: locals.live.state(view),
		status: locals.live.status(),
		demo: locals.demo,
		loggedIn: locals.viewer?.kind === 'session',
		origin: url.origin + locals.basePath,
		look: toFirstLook(request?.headers.get('accept-language')),
		keys: locals.sendingKeys,
	};
}

/**
 * The event that the address names, whatever its age.
 * @returns undefined: it names none; `unknown`: there is none, or the viewer's share link does not show it
 */
async function findEvent(
	eventId: string | null,
	{ older, viewer, viewLimits, network }: App.Locals,
): Promise<ActivityEvent | 'unknown' | 'unread' | undefined> {
	if (eventId === null) return undefined;
	if (!UUID.test(eventId)) return 'unknown';
	const refusal = await viewLimits.admitPage(network);
	if (refusal) error(429, refusal.message);
	const bound = viewer?.filter ?? [];
	return older.find(eventId, { filter: [], bound }).then(
		(event) => event ?? 'unknown',
		() => 'unread',
	);
}
