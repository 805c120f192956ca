/**
 * A session: events of one tab without a silence of 30 minutes. It is a random number in sessionStorage, so it ends with
 * the tab and no other site can see it. Pure; what is stored is `<id> <time of the last event>`.
 */

/** The usual length: visits on either side of a longer pause are told apart. */
export const SESSION_MS = 30 * 60_000;

/**
 * What to store at an event; the id is what stands before the space.
 * @param stored what was stored last, or null; @param now milliseconds since 1970
 */
export function nextSession(stored: string | null, now: number, newId: () => string): string {
	const [id, seen] = (stored ?? '').split(' ');
	return `${id && now - Number(seen) < SESSION_MS ? id : newId()} ${now}`;
}

/** A random UUID. `crypto.randomUUID` is missing on pages served over plain http. */
export function uuid(): string {
	return '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) => {
		const random = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;
		// 0 and 1 become any hexadecimal digit, 8 becomes one of 8, 9, a, b
		return (Number(digit) ^ (random & (15 >> (Number(digit) / 4)))).toString(16);
	});
}
