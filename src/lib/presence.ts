/** When a session is here, and what presence can be filtered by. Pure, for the server and the page. */
import { PROPS, type Dimension } from './dimensions';
import { parseClause } from './filter';
import { COUNT_WINDOW_MS, type PeoplePoint, type Tick } from './protocol';

/** After its last input, or an event of its own, a visible session is active for this long. */
export const ACTIVE_MS = 30_000;
/** The tracker says that a visible tab is here this often. */
export const HERE_EVERY_MS = 15_000;
/** Without a word for so long it is gone: two heartbeats, and the time until they are written and read. */
export const LOST_MS = 35_000;
/** A session that said it leaves is shown a little longer: most of them only open the next page. */
export const LEAVING_MS = 2_500;

export type PresenceState = 'active' | 'idle' | 'gone';

/** What is known of one session. Times in ms of the database's clock; null: there was none. */
export type Signs = {
	visible: boolean;
	heardAt: number;
	inputAt: number | null;
	eventAt: number | null;
	leftAt: number | null;
};

/** What the signs of a session mean. @param now database time, ms since 1970 */
export function toPresenceState(
	{ visible, heardAt, inputAt, eventAt, leftAt }: Signs,
	now: number,
): PresenceState {
	// an event may be stamped ahead of the time that was read
	const isRecent = (at: number | null, ms: number) => at !== null && Math.abs(now - at) < ms;
	if (leftAt !== null && !isRecent(leftAt, LEAVING_MS)) return 'gone';
	if (!isRecent(heardAt, LOST_MS) && !isRecent(eventAt, LOST_MS)) return 'gone';
	if (isRecent(eventAt, ACTIVE_MS)) return 'active';
	return visible && isRecent(inputAt, ACTIVE_MS) ? 'active' : 'idle';
}

/** Whether a session that is here can have a value for it: what only events have cannot be asked of people. */
export function isOfPeople(dimension: Dimension): boolean {
	return dimension !== 'name' && dimension !== 'user' && !dimension.startsWith(PROPS);
}

const MINUTE_MS = 60_000;

/** The minutes of the last half hour with what a tick recorded; the same array when it recorded no people. */
export function withTickPeople(points: PeoplePoint[], { people, recordedAt }: Tick): PeoplePoint[] {
	if (!people) return points;
	const time = Date.parse(recordedAt);
	const at = Math.floor(time / MINUTE_MS) * MINUTE_MS;
	const { active, idle } = people;
	return [...points.filter((point) => point.at < at), { at, active, idle }].filter(
		(point) => point.at > time - COUNT_WINDOW_MS - MINUTE_MS,
	);
}

/** The clauses of a filter, as in an address, that people cannot be filtered by. */
export function toEventClauses(texts: readonly string[]): string[] {
	return texts.filter((text) => {
		const clause = parseClause(text);
		return typeof clause !== 'string' && !isOfPeople(clause.dimension);
	});
}
