/**
 * Counts rejected requests with events, by reason, since this process began, so that none is dropped
 * silently. The reasons are a closed set: clients cannot make the counters grow.
 */
import type { Refused } from '../../health';

/** Each with what it means, to be read after a number of requests. */
export const REJECTION_REASONS = {
	no_key: 'without a key, and INGEST_OPEN is not set',
	wrong_key: 'with a malformed, unknown or revoked key',
	origin: 'with a key that does not accept requests from there',
	limited: 'over a rate limit: of a key, or of wrong keys from one address',
	bot: 'of robots with a public key, by their User-Agent: answered, and not recorded',
	excluded_address: 'from an address of EXCLUDE_ADDRESSES: answered, and not recorded',
	excluded_host: 'with an event of a page on a host of EXCLUDE_HOSTS, which was left out',
	excluded_user: 'with an event of a user of EXCLUDE_USERS, which was left out',
	source: 'with an event of another source than its key’s',
	unsupported: 'with an unsupported Content-Type, charset or Content-Encoding',
	malformed: 'incomplete, in too many pieces, or not valid gzip, UTF-8 or JSON',
	late: 'that were not complete in time',
	too_large: 'too large, as they came or unpacked',
	invalid: 'with an invalid event',
	database_refused: 'that a CHECK of the table rejected',
	no_room: 'while too many uploads were in progress; senders retry',
	unavailable: 'while the database was unavailable or the queue full; senders retry',
} as const;
export type RejectionReason = keyof typeof REJECTION_REASONS;

export type Rejections = {
	/** since when it has counted */
	since: Date;
	count(reason: RejectionReason): void;
	/** a copy, every reason in it */
	counts(): Record<RejectionReason, number>;
	/** those that there were, with what they mean */
	list(): Refused[];
};

/** Begins at zero. */
export function createRejections(): Rejections {
	const counts = Object.fromEntries(
		Object.keys(REJECTION_REASONS).map((reason) => [reason, 0]),
	) as Record<RejectionReason, number>;
	return {
		since: new Date(),
		count: (reason) => void counts[reason]++,
		counts: () => ({ ...counts }),
		list: () =>
			(Object.entries(counts) as [RejectionReason, number][])
				.filter(([, count]) => count > 0)
				.map(([reason, count]) => ({ reason, count, meaning: REJECTION_REASONS[reason] })),
	};
}
