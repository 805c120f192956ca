/**
 * Authorizes requests with events by their key alone, before the body is read, and says what the key
 * requires of the events. key-check.ts keeps keys. Unknown and revoked keys must get the same answer, or
 * guessing reveals former keys; an unavailable database is not a wrong key.
 */
import type { InputEvent } from './parse-events';
import type { IngestKey } from '../keys/key-store';
import type { IngestLimits, Limited } from './rate-limits';
import type { KeyCheck } from '../keys/key-check';
import type { RejectionReason } from './rejections';
import type { InputError } from '../../ingest-limits';
import { UnavailableError } from '../db/errors';

export type IngestRefusal = {
	reason: RejectionReason;
	status: 400 | 401 | 403 | 429 | 503;
	error: string;
	details: InputError[];
	/** seconds after which it makes sense to come again */
	retryAfterS?: number;
};
/** `key`: every event is of its source; null: there was none, and each event names its own */
export type Admission = { ok: true; key: IngestKey | null } | ({ ok: false } & IngestRefusal);

/**
 * @param open accepts events without a key and without limits, for trusted networks; a key that is sent is
 * still checked and limited
 * @param network whose requests are counted together
 */
export async function admit({
	headers,
	query,
	keys,
	limits,
	network,
	open,
}: {
	headers: Headers;
	query: URLSearchParams;
	keys: Pick<KeyCheck, 'check' | 'knows'>;
	limits: IngestLimits;
	network: string;
	open: boolean;
}): Promise<Admission> {
	const given = readKey(headers, query);
	if (given === null) return open ? { ok: true, key: null } : refuse('no_key', 401, NO_KEY);
	try {
		// who shares an address with a guesser goes on sending: a key that was good here is looked up
		const blocked = await limits.blocked(network);
		if (blocked && !keys.knows(given)) return { ok: false, ...tooMany(blocked) };
		const key = await keys.check(given);
		if (!key) {
			await limits.missed(network);
			return refuse('wrong_key', 401, WRONG_KEY);
		}
		const fault = originFault(key, headers.get('origin'));
		if (fault) return refuse('origin', 403, fault.error, [fault.detail]);
		const over = await limits.used(key, network);
		return over ? { ok: false, ...tooMany(over) } : { ok: true, key };
	} catch (error) {
		if (!(error instanceof UnavailableError)) throw error;
		return refuse('unavailable', 503, error.message);
	}
}

/** What a limit says of a request, as its refusal; null when it is within. */
export function refuseLimited(over: Limited | null): IngestRefusal | null {
	return over && tooMany(over);
}

/**
 * Null when an event names another source than its key's.
 * @param events parsed with `source` as their default, so that any other was named by the sender
 * @param batch whether they came as an array
 * @param noun what one of them is, for the sentence
 */
export function refuseSources(
	events: readonly Pick<InputEvent, 'source'>[],
	source: string,
	batch: boolean,
	noun = 'event',
): IngestRefusal | null {
	const rule = `must be left out or be "${source}": this key writes for no other source`;
	const details = events.flatMap((event, index): InputError[] => {
		if (event.source === source) return [];
		return [{ ...(batch && { item: index }), path: 'source', value: event.source, rule }];
	});
	const [first] = details;
	if (!first) return null;
	const where = first.item === undefined ? '' : `${noun} ${first.item}: `;
	const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
	const error = `Nothing was saved: ${where}source is "${first.value}" and ${rule}${more}.`;
	return { reason: 'source', status: 403, error, details };
}

/** Null when no event brings a context: what a page says of its visitor anybody could have made up. */
export function refuseContext(
	events: readonly Pick<InputEvent, 'context'>[],
	batch: boolean,
	noun = 'event',
): IngestRefusal | null {
	const index = events.findIndex(({ context }) => context !== null);
	if (index === -1) return null;
	const rule = 'is taken from a server with a secret key only; leave it out with a public one';
	const error = `Nothing was saved: ${batch ? `${noun} ${index}: ` : ''}context ${rule}.`;
	const detail = { ...(batch && { item: index }), path: 'context', rule };
	return { reason: 'invalid', status: 400, error, details: [detail] };
}

/** The header wins: an address ends up in logs, so it is for beacons, which cannot have headers. Null: none was given. */
export function readKey(headers: Headers, query: URLSearchParams): string | null {
	const bearer = /^bearer +(?<key>.*)$/i.exec(headers.get('authorization') ?? '');
	return bearer?.groups?.key?.trim() || query.get('key') || null;
}

/** Browsers send an Origin with every POST, and no page can forge it; whatever is not a browser can. */
function originFault(
	{ kind, origins }: IngestKey,
	origin: string | null,
): { error: string; detail: InputError } | null {
	if (kind === 'secret') {
		if (origin === null) return null;
		const rule = 'must be absent with a secret key, which belongs on a server';
		return {
			error: `This is a secret key, and it came from a page (${origin}), where anyone can read it. Revoke it, and give the page a public one.`,
			detail: { path: '(headers)', value: origin, rule: `Origin ${rule}` },
		};
	}
	if (origins.length === 0 || (origin !== null && origins.includes(origin))) return null;
	const rule = `must be ${origins.join(' or ')}`;
	return {
		error: `This key does not accept requests from ${origin ?? 'senders without an Origin'}: Origin ${rule}.`,
		detail: { path: '(headers)', value: origin, rule: `Origin ${rule}` },
	};
}

function refuse(
	reason: RejectionReason,
	status: IngestRefusal['status'],
	error: string,
	details: InputError[] = [],
): Admission {
	return { ok: false, reason, status, error, details };
}

function tooMany({ rule, waitS }: Limited): IngestRefusal {
	const error = `Rate limit exceeded; nothing was saved. ${rule} Retry in ${waitS} s.`;
	return { reason: 'limited', status: 429, error, details: [], retryAfterS: waitS };
}

const NO_KEY =
	'This server takes events with a key. Make one under Settings, or where the server runs: "npm run keys -- create --source shop --kind secret" ' +
	'(for pages: --kind public), and send it as "Authorization: Bearer <key>", or as ?key=<key> where there can be no headers. With INGEST_OPEN=true the server takes events without one.';
const WRONG_KEY =
	'This key is not known here, or was revoked. "npm run keys -- list" shows which there are, and "npm run keys -- create" makes another.';
