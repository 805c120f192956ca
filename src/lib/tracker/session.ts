/**
 * A session: events of one tab without a pause of 30 minutes. It is a random number in sessionStorage, so it ends with
 * the tab and no other site can see it. What is stored is `<id> <time of the last event>`.
 */
import { attempt } from './guest';

/** The usual length: visits on either side of a longer pause are two sessions. */
export const SESSION_MS = 30 * 60_000;

/**
 * The id of the session that goes on, or a new one.
 * @param stored what was stored last: any script of the site may have written it
 */
export function toSessionId([id, seen]: string[]): string {
	return Date.now() - (seen as never) < SESSION_MS ? id! : uuid();
}

/**
 * A random UUID. `crypto.randomUUID` comes first, because some pages seed Math.random: all visitors would have the same
 * ids. It is missing on pages served over plain http.
 */
export const uuid = () =>
	attempt(() => crypto.randomUUID() as string) ??
	'00000000-0000-4000-8000-000000000000'.replace(/0/g, () =>
		((Math.random() * 16) | 0).toString(16),
	);
