/**
 * What POST /api/events and POST /api/presence have in common: the key, the limits, the body, what is known of the sender, and
 * refusals, each counted (rejections.ts) and answered {"error":"a sentence","details":[{"path","value","rule","item"}]}.
 */
import { json } from '@sveltejs/kit';
import { isbot } from 'isbot';
import { INGEST_LIMITS, type InputError } from '../../ingest-limits';
import { toNetwork } from '../http/client-address';
import type { BodyBudget } from '../http/body-budget';
import type { KeyCheck } from '../keys/key-check';
import { UnavailableError } from '../db/errors';
import type { OwnVisits } from '../ignored/own-visits';
import type { Robots } from '../ignored/robots';
import { admit, refuseContext, refuseLimited, refuseSources } from './authorize';
import { addContext, type ContextReader } from './context';
import { readJson } from './json-body';
import { hostOf } from './page-host';
import type { InputEvent } from './parse-events';
import type { IngestLimits } from './rate-limits';
import type { RejectionReason, Rejections } from './rejections';
import { identify, isOfVisitor, toVisitor } from './visitor';
import type { VisitorIds } from './visitor-salt';

/** About as long as a request has waited already; long enough for a database to come back or a queue to empty. */
const RETRY_AFTER_S = 2;
/** What a status asks for beside the body; RFC 9110, 11.6.1 and 15.5.9, RFC 6750, 3. */
const HEADERS: Readonly<Record<number, Record<string, string>>> = {
	401: { 'www-authenticate': 'Bearer realm="nowboard"' },
	408: { connection: 'close' },
};
const BODY_REASONS = {
	400: 'malformed',
	408: 'late',
	413: 'too_large',
	415: 'unsupported',
	503: 'no_room',
} as const;

export type Refusal = {
	reason: RejectionReason;
	status: number;
	error: string;
	details?: readonly InputError[];
	retryAfterS?: number;
};

type Sent = Pick<InputEvent, 'source' | 'sessionId' | 'userId' | 'properties' | 'context'>;
type Parsed = { ok: true; items: Sent[] } | { ok: false; errors: InputError[]; omitted: number };
type Taken<P> = Extract<P, { ok: true; items: Sent[] }>;
/** `items`: those of `parsed` that count, with their context and session. `ignored`: why others do not; null: there are none. */
export type Received<P> = {
	items: readonly Taken<P>['items'][number][];
	parsed: Taken<P>;
	ignored: string | null;
};

/** What requests are taken with. */
export type Desk = {
	bodies: BodyBudget;
	keys: KeyCheck;
	limits: IngestLimits;
	rejections: Rejections;
	/** takes requests without a key */
	ingestOpen: boolean;
	context: ContextReader;
	visitors: Pick<VisitorIds, 'of'>;
	ownVisits: OwnVisits;
	robots: Pick<Robots, 'saw'>;
};

/** Counts the refusal and answers it. */
export function refuse(
	rejections: Rejections,
	{ reason, status, error, details = [], retryAfterS }: Refusal,
): Response {
	rejections.count(reason);
	const seconds = status === 503 ? RETRY_AFTER_S : retryAfterS;
	const again = seconds !== undefined && { 'retry-after': String(seconds) };
	return json({ error, details }, { status, headers: { ...HEADERS[status], ...again } });
}

/**
 * @param parse from the body to what was sent; `source` is that of the key
 * @param noun of one item, for errors: "event"
 * @returns what was sent, or the answer that refuses or ignores it
 */
export async function receive<P extends Parsed>(
	request: Request,
	query: URLSearchParams,
	address: string,
	desk: Desk,
	{ parse, noun }: { parse: (body: unknown, source?: string) => P; noun: string },
): Promise<Received<P> | Response> {
	const { bodies, keys, limits, rejections, ingestOpen: open } = desk;
	const { headers } = request;
	const network = toNetwork(address);
	const admission = await admit({ headers, query, keys, limits, network, open });
	if (!admission.ok) return refuse(rejections, admission);
	const { key } = admission;
	if (key?.kind === 'public' && isbot(headers.get('user-agent'))) {
		desk.robots.saw(headers.get('user-agent'));
		return ignore(rejections, 'bot');
	}
	if (isOfVisitor(headers, key) && desk.ownVisits.hasAddress(address))
		return ignore(rejections, 'excluded_address');
	const bounds = { maxBytes: INGEST_LIMITS.bodyBytes, bodies, network };
	const weigh = async (bytes: number) =>
		key && refuseLimited(await limits.weighed(key, network, bytes));
	const read = await readJson(request, bounds, weigh);
	if (!read.ok && 'over' in read) return refuse(rejections, read.over);
	if (!read.ok) return refuse(rejections, { reason: BODY_REASONS[read.status], ...read });
	const parsed = parse(read.body, key?.source);
	if (!parsed.ok) {
		const { errors: details, omitted } = parsed;
		const error = summary(details, omitted, noun);
		return refuse(rejections, { reason: 'invalid', status: 400, error, details });
	}
	const batch = Array.isArray(read.body);
	const foreign =
		(key && refuseSources(parsed.items, key.source, batch, noun)) ??
		(key?.kind === 'public' ? refuseContext(parsed.items, batch, noun) : null);
	if (foreign) return refuse(rejections, foreign);
	const many = key && refuseLimited(await limits.sent(key, network, parsed.items.length));
	if (many) return refuse(rejections, many);
	const taken = parsed as Taken<P>;
	const visitor = toVisitor(headers, key, address);
	const ofRequest = () => desk.context.ofRequest(headers, address);
	try {
		const known = addContext<Taken<P>['items'][number]>(taken.items, visitor, ofRequest);
		const { counted, ignored } = withoutOwn(known, desk.ownVisits, hostOf(headers.get('origin')));
		if (ignored && counted.length === 0) return ignore(rejections, ignored);
		if (ignored) rejections.count(ignored);
		return { items: await identify(counted, visitor, desk.visitors), parsed: taken, ignored };
	} catch (error) {
		return refuseUnavailable(rejections, error);
	}
}

/** Answered as if it were taken: a sender must not try again. */
function ignore(rejections: Rejections, reason: RejectionReason): Response {
	rejections.count(reason);
	return json({ accepted: 0, duplicates: 0, ignored: reason }, { status: 202 });
}

/** @param pageHost of the page that sent the request, for what names no page of its own */
function withoutOwn<Item extends Sent>(
	items: readonly Item[],
	own: OwnVisits,
	pageHost: string | null,
): { counted: readonly Item[]; ignored: 'excluded_host' | 'excluded_user' | null } {
	let ignored: 'excluded_host' | 'excluded_user' | null = null;
	const counted = items.filter(({ context, userId }) => {
		const isOwnHost = own.hasHost(context?.host ?? pageHost);
		if (isOwnHost) ignored = 'excluded_host';
		else if (own.hasUser(userId)) ignored = 'excluded_user';
		else return true;
		return false;
	});
	return { counted, ignored };
}

/** 503 for an UnavailableError; throws any other. */
export function refuseUnavailable(rejections: Rejections, error: unknown): Response {
	if (!(error instanceof UnavailableError)) throw error;
	return refuse(rejections, { reason: 'unavailable', status: 503, error: error.message });
}

function summary(errors: readonly InputError[], omitted: number, noun: string): string {
	const count = errors.length + omitted;
	const [first] = errors;
	const where = first?.item === undefined ? '' : `${noun} ${first.item}: `;
	const more = count > 1 ? ` (and ${count - 1} more)` : '';
	return `Nothing was saved: ${where}${first?.path ?? ''} ${first?.rule ?? ''}${more}.`;
}
