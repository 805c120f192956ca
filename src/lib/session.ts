/** The path of one session: what `GET /api/dashboard/session` answers, and what a page shows. Types only. */
import type { ActivityEvent, Presence } from './protocol';

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

/** The path on an open page. */
export type SessionView = {
	/** newest first, each once */
	events: readonly ActivityEvent[];
	/** the page view that the session began with, or its oldest event */
	start: ActivityEvent | null;
	user: SessionPath['user'] | null;
	/** there are events that are not loaded yet */
	hasOlder: boolean;
	/** whether it is here; undefined: presence is switched off, or nothing was heard yet */
	people: Presence | undefined;
	/** what the table has of it: `missing` is nothing that this viewer may see */
	state: 'reading' | 'read' | 'missing' | 'failed';
};
