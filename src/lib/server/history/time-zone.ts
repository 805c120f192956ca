/**
 * The known time zones: those of Intl, which browsers name, in one spelling each. Postgres also accepts
 * endless POSIX zones (`AAAA1`, `<x>-3:07`), and each backend caches every zone it was asked for, at about
 * 24 KB (pg_tzset in src/timezone/pgtz.c). So nothing else may reach a query.
 */

/** Longer than any name; nor is it asked for. */
const MAX_LENGTH = 64;
/** Names only: Node 22 takes offsets (`+01:00`) for zones. */
const NAME = /^[a-z][\w+-]*(\/[\w+-]+)*$/i;

/** by lower-case name; only what Intl knows, so there are some hundreds at most */
const known = new Map<string, string>();

/**
 * The spelling in which a zone is to be asked for, whatever its letters' case; null when it is none. Other names of the same zone stay: a
 * Postgres on the system's zones may know `Asia/Kolkata` and not `Asia/Calcutta`, which Intl would make of it.
 */
export function toZone(text: string): string | null {
	if (text.length > MAX_LENGTH || !NAME.test(text)) return null;
	const lower = text.toLowerCase();
	const found = known.get(lower) ?? toSpelling(lower);
	if (found !== null) known.set(lower, found);
	return found;
}

function toSpelling(lower: string): string | null {
	try {
		const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: lower }).resolvedOptions();
		// of another name Intl does not tell the spelling, and Postgres does not need it
		return timeZone.toLowerCase() === lower ? timeZone : lower;
	} catch {
		return null;
	}
}
