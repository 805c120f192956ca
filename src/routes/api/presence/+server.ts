/**
 * POST /api/presence: who is here, one session or an array of them → 202 {"accepted":n}, before it is written: what is lost
 * comes again within seconds. Keys, origins, limits and refusals are those of POST /api/events (receive.ts). Never an event.
 * With PRESENCE=false it is 202 and "ignored": pages that still send must not try again.
 */
import { json } from '@sveltejs/kit';
import { UnavailableError } from '$lib/server/db/errors';
import { readAddress } from '$lib/server/http/client-address';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from '$lib/server/http/cors';
import { addContext } from '$lib/server/ingest/context';
import { parsePresence } from '$lib/server/ingest/parse-presence';
import { receive, refuse } from '$lib/server/ingest/receive';
import { identify, toVisitor } from '$lib/server/ingest/visitor';
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
	const { bodies, context, presence, ingestOpen: open, keys, rejections, visitors } = locals;
	if (!presence) return json(OFF, { status: 202 });
	const address = readAddress(getClientAddress);
	// of its own: heartbeats use up no room of events
	const desk = { bodies, keys, limits: presence.limits, rejections, open };
	const received = await receive(request, url.searchParams, address, desk, {
		parse: (body, source) => parsePresence(body, Date.now(), source),
		noun: 'session',
	});
	if (received instanceof Response) return received;
	const { key, parsed } = received;
	const { headers } = request;
	try {
		const visitor = toVisitor(headers, key, address);
		const known = addContext(parsed.items, visitor, () => context.ofRequest(headers, address));
		const said = (await identify(known, visitor, visitors)).map(toSaid);
		const missing = said.findIndex((one) => one === null);
		if (missing !== -1) {
			const where = parsed.items.length > 1 ? { item: missing } : {};
			return refuse(rejections, {
				reason: 'invalid',
				status: 400,
				error: `Nothing was saved: sessionId ${NO_SESSION}.`,
				details: [{ ...where, path: 'sessionId', rule: NO_SESSION }],
			});
		}
		presence.hear(said.filter((one) => one !== null));
		return json({ accepted: said.length }, { status: 202 });
	} catch (error) {
		if (error instanceof UnavailableError)
			return refuse(rejections, { reason: 'unavailable', status: 503, error: error.message });
		throw error;
	}
};
