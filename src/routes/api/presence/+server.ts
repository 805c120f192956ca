/**
 * POST /api/presence: who is here, one session or an array of them → 202 {"accepted":n}, before it is written: what is lost
 * comes again within seconds. Keys, origins, limits and refusals are those of POST /api/events (receive.ts). Never an event.
 * With PRESENCE=false it is 202 and "ignored": pages that still send must not try again.
 */
import { json } from '@sveltejs/kit';
import { readAddress } from '$lib/server/http/client-address';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from '$lib/server/http/cors';
import { parsePresence } from '$lib/server/ingest/parse-presence';
import { receive, refuse, refuseUnavailable } from '$lib/server/ingest/receive';
import { toSaid } from '$lib/server/presence/presence-row';
import type { RequestHandler } from './$types';

export const trailingSlash = 'ignore';

const OFF = { accepted: 0, ignored: 'presence is switched off on this server (PRESENCE=false)' };
const NO_SESSION =
	'is required: the server makes an id only for visitors of pages who do not object to it';

export const OPTIONS: RequestHandler = () =>
	new Response(null, { status: 204, headers: PREFLIGHT_HEADERS });

export const POST: RequestHandler = async ({
	request,
	url,
	locals,
	setHeaders,
	getClientAddress,
}) => {
	setHeaders(CORS_HEADERS);
	const { presence, rejections } = locals;
	if (!presence) return json(OFF, { status: 202 });
	const address = readAddress(getClientAddress);
	// of its own: heartbeats use up no room of events
	const desk = { ...locals, limits: presence.limits };
	const received = await receive(request, url.searchParams, address, desk, {
		parse: (body, source) => parsePresence(body, Date.now(), source),
		noun: 'session',
	});
	if (received instanceof Response) return received;
	const said = received.items.map(toSaid);
	const missing = said.findIndex((one) => one === null);
	if (missing !== -1) {
		const where = said.length > 1 ? { item: missing } : {};
		return refuse(rejections, {
			reason: 'invalid',
			status: 400,
			error: `Nothing was saved: sessionId ${NO_SESSION}.`,
			details: [{ ...where, path: 'sessionId', rule: NO_SESSION }],
		});
	}
	try {
		presence.hear(said.filter((one) => one !== null));
		return json({ accepted: said.length }, { status: 202 });
	} catch (error) {
		return refuseUnavailable(rejections, error);
	}
};
