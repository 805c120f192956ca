import { error } from '@sveltejs/kit';
import { readView } from '$lib/server/http/view-param';
import { CONTENT_TYPE } from '$lib/server/stream/sse';
import { createStreamEnd } from '$lib/server/access/stream-expiry';
import type { EndReason } from '$lib/server/stream/client-stream';
import type { StreamEventName } from '$lib/protocol';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

const HEADERS = {
	// without a charset: SSE is UTF-8, and adapters compare the whole value
	'content-type': CONTENT_TYPE,
	'cache-control': 'no-store, no-transform',
	'x-accel-buffering': 'no',
};

/** What a client may leave out; `reset`, `ping` and `bye` always come. */
const OPTIONAL = ['activity', 'metrics', 'presence'];

/**
 * The live stream. `Last-Event-ID` (a native reconnect) wins over `?cursor=` (a new EventSource cannot send headers).
 * `?events=activity,presence` leaves out the ticks, `?events=metrics` the feed and who is here; `?f=` and `?by=` choose the view.
 */
export const GET: RequestHandler = async ({ request, url, locals, platform }) => {
	const cursor = request.headers.get('last-event-id') ?? url.searchParams.get('cursor');
	const chosen = toChosen(url.searchParams.get('events'));
	const wants = (event: StreamEventName) => !OPTIONAL.includes(event) || chosen.includes(event);
	const view = readView(url.searchParams, locals.viewer);
	await locals.viewLimits.admit(view, locals.network);
	// Node's request is destroyed when its answer has been taken; until then the connection is this stream's alone
	const sever = () => {
		if (platform?.req && !platform.req.destroyed) platform.req.socket.destroy();
	};
	// revoking a viewer closes its streams, on every instance
	const following = locals.viewer && locals.login?.viewers.follow(locals.viewer);
	// and a token in the address allows no more than its own time
	const ending = following && createStreamEnd(following, locals.tokenEndsAt);
	const body = locals.live.open(cursor || null, {
		wants,
		view,
		sever,
		...(ending && { until: ending.ended }),
		onLeave: toFarewell(locals.requests.streamed(locals.requestId), ending?.leave),
	});
	return new Response(body, { headers: HEADERS });
};

/** Without it SvelteKit answers HEAD with GET: a subscription that no client reads, and headers that never leave. */
export const HEAD: RequestHandler = () => new Response(null, { headers: HEADERS });

/** Made outside the handler, so that what waits for the end of a stream does not keep its request. */
function toFarewell(told: (reason: EndReason) => void, leave: (() => void) | undefined) {
	return (reason: EndReason) => {
		told(reason);
		leave?.();
	};
}

function toChosen(text: string | null): string[] {
	if (text === null) return OPTIONAL;
	const names = text.split(',').filter((name) => name !== '');
	const unknown = names.find((name) => !OPTIONAL.includes(name));
	if (unknown !== undefined)
		error(400, `events: "${unknown.slice(0, 40)}" is none of ${OPTIONAL.join(', ')}.`);
	return names;
}
