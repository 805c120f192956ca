/**
 * POST /api/events: one event or an array of them → 202 {"accepted":n,"duplicates":m}, after their commit.
 * Every refusal is counted (rejections.ts) and is {"error":"a sentence","details":[{"path","value","rule","item"}]}: 400 the body,
 * 401 no key or a wrong one, 403 not from here or not this source, 408 not whole in time, 413 too large, 415 not JSON, 429 too often,
 * 503 not now (both with Retry-After). A batch is taken or refused as a whole. Robots with a public key are told 202 and "ignored": they must not try again.
 */
import { json } from '@sveltejs/kit';
import { isbot } from 'isbot';
import { INGEST_LIMITS, type InputError } from '$lib/protocol';
import { readAddress, toNetwork } from '$lib/server/http/client-address';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from '$lib/server/http/cors';
import { addContext } from '$lib/server/ingest/context';
import { parseEvents } from '$lib/server/ingest/parse-events';
import { admit, refuseContext, refuseLimited, refuseSources } from '$lib/server/ingest/authorize';
import { readJson } from '$lib/server/ingest/json-body';
import type { RejectionReason } from '$lib/server/ingest/rejections';
import { RefusedError } from '$lib/server/ingest/submission';
import { identify, toVisitor } from '$lib/server/ingest/visitor';
import type { RequestHandler } from './$types';
import { UnavailableError } from '$lib/server/db/errors';

/** Clients that append a slash do not follow a redirect with a body. */
export const trailingSlash = 'ignore';

/** About as long as a request has waited already; long enough for a database to come back or a queue to empty. */
const RETRY_AFTER_S = 2;
/** What a status asks for beside the body; RFC 9110, 11.6.1 and 15.5.9, RFC 6750, 3. */
const HEADERS: Readonly<Record<number, Record<string, string>>> = {
	401: { 'www-authenticate': 'Bearer realm="nowboard"' },
	408: { connection: 'close' },
};
const IGNORED = { accepted: 0, duplicates: 0, ignored: 'bot' };
const BODY_REASONS = {
	400: 'malformed',
	408: 'late',
	413: 'too_large',
	415: 'unsupported',
	503: 'no_room',
} as const;

type Refusal = {
	reason: RejectionReason;
	status: number;
	error: string;
	details?: readonly InputError[];
	retryAfterS?: number;
};

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
	const { bodies, context, ingest, ingestOpen: open, keys, limits, rejections, visitors } = locals;

	function refuse({ reason, status, error, details = [], retryAfterS }: Refusal): Response {
		rejections.count(reason);
		const seconds = status === 503 ? RETRY_AFTER_S : retryAfterS;
		const again = seconds !== undefined && { 'retry-after': String(seconds) };
		return json({ error, details }, { status, headers: { ...HEADERS[status], ...again } });
	}

	const { headers } = request;
	const address = readAddress(getClientAddress);
	const network = toNetwork(address);
	const query = url.searchParams;
	const admission = await admit({ headers, query, keys, limits, network, open });
	if (!admission.ok) return refuse(admission);
	const { key } = admission;
	if (key?.kind === 'public' && isbot(headers.get('user-agent'))) {
		rejections.count('bot');
		return json(IGNORED, { status: 202 });
	}
	const bounds = { maxBytes: INGEST_LIMITS.bodyBytes, bodies, network };
	const weigh = async (bytes: number) =>
		key && refuseLimited(await limits.weighed(key, network, bytes));
	const read = await readJson(request, bounds, weigh);
	if (!read.ok && 'over' in read) return refuse(read.over);
	if (!read.ok) return refuse({ reason: BODY_REASONS[read.status], ...read });
	const parsed = parseEvents(read.body, Date.now(), key?.source);
	if (!parsed.ok) {
		const { errors: details, omitted } = parsed;
		return refuse({ reason: 'invalid', status: 400, error: summary(details, omitted), details });
	}
	const batch = Array.isArray(read.body);
	const foreign =
		(key && refuseSources(parsed.events, key.source, batch)) ??
		(key?.kind === 'public' ? refuseContext(parsed.events, batch) : null);
	if (foreign) return refuse(foreign);
	const many = key && refuseLimited(await limits.sent(key, network, parsed.events.length));
	if (many) return refuse(many);
	try {
		const visitor = toVisitor(headers, key, address);
		const known = addContext(parsed.events, visitor, () => context.ofRequest(headers, address));
		const receipt = await ingest.submit(await identify(known, visitor, visitors));
		const { clamped } = parsed;
		return json(clamped.length > 0 ? { ...receipt, clamped } : receipt, { status: 202 });
	} catch (error) {
		if (error instanceof UnavailableError)
			return refuse({ reason: 'unavailable', status: 503, error: error.message });
		if (error instanceof RefusedError)
			return refuse({
				reason: 'database_refused',
				status: 400,
				error: `The database refused the events: ${error.message}.`,
				details: [{ path: error.constraint ?? '(event)', rule: error.message }],
			});
		throw error;
	}
};

function summary(errors: readonly InputError[], omitted: number): string {
	const count = errors.length + omitted;
	const [first] = errors;
	const where = first?.item === undefined ? '' : `event ${first.item}: `;
	const more = count > 1 ? ` (and ${count - 1} more)` : '';
	return `Nothing was saved: ${where}${first?.path ?? ''} ${first?.rule ?? ''}${more}.`;
}
