/**
 * POST /api/events: one event or an array of them → 202 {"accepted":n,"duplicates":m}, after their commit.
 * Refusals are those of receive.ts: 400 the body, 401 no key or a wrong one, 403 not from here or not this source, 408 not whole in
 * time, 413 too large, 415 not JSON, 429 too often, 503 not now (both with Retry-After). A batch is taken or refused as a whole.
 * Robots with a public key and own visits (EXCLUDE_…) are told 202 and "ignored": they must not try again.
 */
import { json } from '@sveltejs/kit';
import { readAddress } from '$lib/server/http/client-address';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from '$lib/server/http/cors';
import { parseEvents } from '$lib/server/ingest/parse-events';
import { receive, refuse, refuseUnavailable } from '$lib/server/ingest/receive';
import { RefusedError } from '$lib/server/ingest/submission';
import type { RequestHandler } from './$types';

/** Clients that append a slash do not follow a redirect with a body. */
export const trailingSlash = 'ignore';

export const OPTIONS: RequestHandler = () =>
	new Response(null, { status: 204, headers: PREFLIGHT_HEADERS });

export const POST: RequestHandler = async ({
	request,
	url,
	locals,
	setHeaders,
	getClientAddress,
}) => {
	// also on what SvelteKit answers when something below throws
	setHeaders(CORS_HEADERS);
	const { ingest, rejections } = locals;
	const address = readAddress(getClientAddress);
	const received = await receive(request, url.searchParams, address, locals, {
		parse(body, source) {
			const parsed = parseEvents(body, Date.now(), source);
			return parsed.ok ? { ...parsed, items: parsed.events } : parsed;
		},
		noun: 'event',
	});
	if (received instanceof Response) return received;
	try {
		const receipt = await ingest.submit(received.items);
		const { clamped } = received.parsed;
		const { ignored } = received;
		const more = { ...(clamped.length > 0 && { clamped }), ...(ignored && { ignored }) };
		return json({ ...receipt, ...more }, { status: 202 });
	} catch (error) {
		if (error instanceof RefusedError)
			return refuse(rejections, {
				reason: 'database_refused',
				status: 400,
				error: `The database refused the events: ${error.message}.`,
				details: [{ path: error.constraint ?? '(event)', rule: error.message }],
			});
		return refuseUnavailable(rejections, error);
	}
};
