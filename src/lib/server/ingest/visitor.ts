/**
 * Gives events without a session id one for the day (visitor-salt.ts), so that they count as visitors. Only
 * for people: with a public key or, where no key is needed, from a page.
 */
import type { InputEvent } from './parse-events';
import type { IngestKey } from '../keys/key-store';
import type { VisitorIds } from './visitor-salt';
import { UnavailableError } from '../db/errors';

export type Visitor = { address: string; userAgent: string };

/**
 * Null: no id may be made. Who says Global Privacy Control or Do Not Track stays unknown; a server's address says nothing about
 * its visitors.
 */
export function toVisitor(
	headers: Headers,
	key: Pick<IngestKey, 'kind'> | null,
	address: string,
): Visitor | null {
	if (headers.get('sec-gpc') === '1' || headers.get('dnt') === '1') return null;
	return isOfVisitor(headers, key) ? { address, userAgent: headers.get('user-agent') ?? '' } : null;
}

/** Whether the request comes from a visitor's browser: what a server sends says nothing of the visitor's address. */
export function isOfVisitor(headers: Headers, key: Pick<IngestKey, 'kind'> | null): boolean {
	return key ? key.kind === 'public' : headers.has('origin');
}

/**
 * The events, each with a session id. Rejects with an UnavailableError when the salt cannot be read: then nothing can be saved
 * either, and an event without its session would stay so for ever.
 */
export async function identify<Sent extends Pick<InputEvent, 'source' | 'sessionId'>>(
	events: readonly Sent[],
	visitor: Visitor | null,
	ids: Pick<VisitorIds, 'of'>,
): Promise<readonly Sent[]> {
	if (!visitor || events.every(({ sessionId }) => sessionId !== null)) return events;
	try {
		return await Promise.all(
			events.map(async (event) => ({
				...event,
				sessionId: event.sessionId ?? (await ids.of({ ...visitor, source: event.source })),
			})),
		);
	} catch {
		throw new UnavailableError('The database did not return the salt of the day in time.');
	}
}
