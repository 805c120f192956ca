/**
 * How many requests with events were refused, by reason, since this process began: what is refused is counted, never silently
 * dropped. Knows no request. The reasons are a closed set, so that whoever sends nonsense cannot make the counters grow.
 */

export const REJECTION_REASONS = [
	/** no key, and INGEST_OPEN is not set */
	'no_key',
	/** not a key, not known, or revoked */
	'wrong_key',
	/** the key is not taken from this page, or from no page at all */
	'origin',
	/** an event names another source than its key's */
	'source',
	/** a Content-Type, charset or Content-Encoding that is not taken */
	'unsupported',
	/** incomplete, broken gzip, not UTF-8, not JSON */
	'malformed',
	/** as it came, or unpacked */
	'too_large',
	/** JSON, but no events */
	'invalid',
	/** a CHECK of the table */
	'database_refused',
	/** not now: the database or the queue; clients come again */
	'unavailable',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

export type Rejections = {
	count(reason: RejectionReason): void;
	/** a copy, every reason in it */
	counts(): Record<RejectionReason, number>;
};

export function createRejections(): Rejections {
	const counts = Object.fromEntries(REJECTION_REASONS.map((reason) => [reason, 0])) as Record<
		RejectionReason,
		number
	>;
	return {
		count: (reason) => void counts[reason]++,
		counts: () => ({ ...counts }),
	};
}
