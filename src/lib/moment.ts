/** A moment in an address: `?at=` as ISO 8601 in UTC, to the second unless there is more. Pure. */

/** After 1970, and where SQL may write. */
const LAST = Date.UTC(9998, 0, 1);

/** ms since 1970, whole; null: not such a time. A text without a zone is in UTC. */
export function parseMoment(text: string): number | null {
	const found = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
	if (!found) return null;
	const at = Math.floor(Date.parse(found[1] && !found[4] ? `${text}Z` : text));
	return at >= 0 && at < LAST ? at : null;
}

/** "2026-03-01T12:00:00Z" */
export function toMomentText(at: number): string {
	return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** A text of `<input type="datetime-local">` in the viewer's zone. */
export function toLocalText(at: number, timeZone: string): string {
	const parts = new Intl.DateTimeFormat('sv-SE', {
		...{ timeZone, year: 'numeric', month: '2-digit', day: '2-digit' },
		...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
	}).format(at);
	return parts.replace(' ', 'T');
}

/** The reverse; an hour that a clock skips or repeats is the one by the offset before it. */
export function fromLocalText(text: string, timeZone: string): number | null {
	const asUtc = parseMoment(text.length === 16 ? `${text}:00` : text);
	if (asUtc === null) return null;
	const offsetAt = (at: number) =>
		Date.parse(`${toLocalText(at, timeZone)}Z`) - Math.floor(at / 1_000) * 1_000;
	const first = asUtc - offsetAt(asUtc);
	return asUtc - offsetAt(first);
}
