/**
 * POST /api/events: one event or an array of them → 202 {"accepted":n,"duplicates":m}, after their commit.
 * Every refusal is {"error":"a sentence","details":[{"path","value","rule","item"}]}: 400 the body, 401 not open,
 * 413 too large, 415 not JSON, 503 not now (with Retry-After). A batch is taken or refused as a whole.
 */
import { json } from '@sveltejs/kit';
import { INGEST_LIMITS } from '$lib/protocol';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from '$lib/server/cors';
import { parseEvents, type InputError } from '$lib/server/event-input';
import { discardBody, readJson } from '$lib/server/json-body';
import { RefusedError, UnavailableError } from '$lib/server/submission';
import type { RequestHandler } from './$types';

/** Clients that append a slash do not follow a redirect with a body. */
export const trailingSlash = 'ignore';

/** About as long as a request has waited already; long enough for a database to come back or a queue to empty. */
const RETRY_AFTER_S = 2;

export const OPTIONS: RequestHandler = () =>
	new Response(null, { status: 204, headers: PREFLIGHT_HEADERS });

export const POST: RequestHandler = async ({ request, locals, setHeaders }) => {
	// also on what SvelteKit answers when something below throws
	setHeaders(CORS_HEADERS);
	if (!locals.ingestOpen) {
		await discardBody(request);
		return refusal(401, 'This server takes no events. Set INGEST_OPEN=true to let everyone send.');
	}
	const read = await readJson(request, INGEST_LIMITS.bodyBytes);
	if (!read.ok) return refusal(read.status, read.error, read.details);
	const parsed = parseEvents(read.body, Date.now());
	if (!parsed.ok) return refusal(400, summary(parsed.errors, parsed.omitted), parsed.errors);
	try {
		const receipt = await locals.ingest.submit(parsed.events);
		const { clamped } = parsed;
		return json(clamped.length > 0 ? { ...receipt, clamped } : receipt, { status: 202 });
	} catch (error) {
		if (error instanceof UnavailableError)
			return refusal(503, error.message, [], { 'retry-after': String(RETRY_AFTER_S) });
		if (error instanceof RefusedError)
			return refusal(400, `The database refused the events: ${error.message}.`, [
				{ path: error.constraint ?? '(event)', rule: error.message },
			]);
		throw error;
	}
};

function refusal(
	status: number,
	error: string,
	details: readonly InputError[] = [],
	headers: Record<string, string> = {},
): Response {
	return json({ error, details }, { status, headers });
}

function summary(errors: readonly InputError[], omitted: number): string {
	const count = errors.length + omitted;
	const [first] = errors;
	const where = first?.item === undefined ? '' : `event ${first.item}: `;
	const more = count > 1 ? ` (and ${count - 1} more)` : '';
	return `Nothing was saved: ${where}${first?.path ?? ''} ${first?.rule ?? ''}${more}.`;
}
