/**
 * A session: events of one tab without a silence of 30 minutes. It is a random number in sessionStorage, so it ends with
 * the tab and no other site can see it. Pure; what is stored is `<id> <time of the last event>`.
 */
import { attempt } from './guest';

/** The usual length: visits on either side of a longer pause are told apart. */
export const SESSION_MS = 30 * 60_000;

/**
 * What to store at an event; the id is what stands before the space.
 * @param stored what was stored last: any script of the site may have written it; @param now ms since 1970
 */
export function nextSession(stored: unknown, now: number, newId: () => string): string {
	const [, id, seen = 0] = /^([\w-]{1,64}) (\d+)$/.exec(`${stored}`) ?? [];
	return `${id && now - Number(seen) < SESSION_MS ? id : newId()} ${now}`;
}

/** A random UUID. `crypto.randomUUID` is missing on pages served over plain http, and `crypto` may be replaced. */
export const uuid = () =>
	'00000000-0000-4000-8000-000000000000'.replace(/0/g, () =>
		(
			((attempt(() => crypto.getRandomValues(new Uint8Array(1))[0]) ?? 0) ^ (Math.random() * 256)) &
			15
		).toString(16),
	);
