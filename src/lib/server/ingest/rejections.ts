/**
 * Counts rejected requests with events, by reason, since this process began, so that none is dropped
 * silently. The reasons are a closed set: clients cannot make the counters grow.
 */
import type { Refused } from '../../health';

/** Each with what it means, to be read after a number of requests. */
export const REJECTION_REASONS = {
	no_key: 'without a key, and INGEST_OPEN is not set',
	wrong_key: 'with something that is no key, is not known, or was revoked',
	origin: 'with a key that is not taken from that page, or from no page at all',
	limited: 'more than a minute may bring: with one key, or with wrong ones from one address',
	bot: 'of robots with a public key, by their User-Agent: answered, and not recorded',
	excluded_address: 'from an address of EXCLUDE_ADDRESSES: answered, and not recorded',
	excluded_host: 'with an event of a page on a host of EXCLUDE_HOSTS, which was left out',
	excluded_user: 'with an event of a user of EXCLUDE_USERS, which was left out',
	source: 'with an event of another source than its key’s',
	unsupported: 'with a Content-Type, charset or Content-Encoding that is not taken',
	malformed: 'incomplete, in too many pieces, or not valid gzip, UTF-8 or JSON',
	late: 'that were not complete in time: they began, and went on too slowly or not at all',
	too_large: 'too large, as they came or unpacked',
	invalid: 'of JSON that is no event',
	database_refused: 'against a CHECK of the table',
	no_room:
		'that came in when too many others did, in all or from one address; their senders come again',
	unavailable: 'while the database was away or the queue full; their senders come again',
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
