/** The list of who is here, as `GET /api/dashboard/people` answers it. */
import type { EventContext } from './protocol';

export type Person = {
	session: string;
	source: string;
	state: 'active' | 'idle';
	/** the page it is on; null: not known */
	path: string | null;
	/** ISO time of its first event that the viewer may know of; null: it has none, or it was not read */
	since: string | null;
	/** where it came from: a host; null: not known */
	referrer: string | null;
	context: EventContext | null;
};

export type PeopleList = {
	/** active ones first, then by their ids */
	people: Person[];
	/** how many more there are */
	more: number;
};

/** Sessions of one list. */
export const PEOPLE_LENGTH = 100;
