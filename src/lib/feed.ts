/** Older events of the feed, as the server answers them: GET /api/dashboard/events. */
import type { ActivityEvent } from './protocol';

/** A page of older events. */
export type OlderEvents = {
	/** newest first, in the order of the feed: by arrival */
	events: ActivityEvent[];
	/** `before` of the next page; null: the table has no older event */
	next: string | null;
	/** when the last event that was examined was created; null: none was, or its time cannot be shown */
	through: string | null;
};

/** There is no answer now, but there may be later: the server is busy, or was not reached. */
export class NotNowError extends Error {
	/** @param afterMs when to ask again; null: the server did not say */
	constructor(
		readonly afterMs: number | null,
		message: string,
	) {
		super(message);
		this.name = 'NotNowError';
	}
}

/** Events of a page, unless the request says otherwise. */
export const PAGE_LENGTH = 200;
export const MAX_PAGE_LENGTH = 1_000;
