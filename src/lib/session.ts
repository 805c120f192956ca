/** What `GET /api/dashboard/session` answers: the path of one session. Types only, for both ends. */
import type { ActivityEvent } from './protocol';

export type SessionPath = {
	session: string;
	/** of this page, newest first */
	events: ActivityEvent[];
	/** the value of `before` for the next page; null: there is nothing older */
	older: string | null;
	/** of the first page: the page view that the session began with, or its oldest event; null: it may not be seen */
	start?: ActivityEvent | null;
	/** of the first page; absent: no event says whose session it is */
	user?: { id: string; sessions: UserSession[] };
};

/** A session of a user, as far as their newest events say. */
export type UserSession = { session: string; from: string; to: string; events: number };
