/**
 * Searches events for a text. One rule for what a page has loaded and for what the server reads from the table: the text is
 * contained in a value, whatever its case. A filter cannot say this: its clauses each ask one dimension. Pure.
 */
import { toDecimal } from './filter';
import { toReadable } from './path';
import type { ActivityEvent, Json } from './protocol';

/** Characters of a search text. */
export const MAX_SEARCH_LENGTH = 200;

/** What of an event is searched. */
type Searched = Pick<
	ActivityEvent,
	'name' | 'source' | 'sessionId' | 'userId' | 'properties' | 'context'
>;

/** Properties that the page shows decoded: both spellings are found. */
const ADDRESSES = new Set(['path', 'url', 'referrer']);

/** The text as it is compared: without spaces at its ends, in lower case. */
export const toSearchText = (text: string): string => text.trim().toLowerCase();

/** Whether the text is in the name, the source, the session, the user, the context or a value of the properties, at any depth. */
export function createTextMatch<Event extends Searched>(text: string): (event: Event) => boolean {
	const wanted = toSearchText(text);
	const known = new WeakMap<Event, boolean>();
	const isIn = (value: string) => value.toLowerCase().includes(wanted);

	function isInJson(value: Json, key = ''): boolean {
		if (typeof value === 'string')
			return isIn(value) || (ADDRESSES.has(key) && value.includes('%') && isIn(toReadable(value)));
		if (typeof value === 'number') return toDecimal(value).includes(wanted);
		if (typeof value !== 'object' || value === null) return String(value).includes(wanted);
		return Object.values(value).some((one) => isInJson(one));
	}

	function test({ name, source, sessionId, userId, properties, context }: Event): boolean {
		return (
			isIn(name) ||
			isIn(source) ||
			(sessionId !== null && isIn(sessionId)) ||
			(userId !== undefined && isIn(userId)) ||
			Object.values(context ?? {}).some(isIn) ||
			Object.entries(properties).some(([key, value]) => isInJson(value, key))
		);
	}

	return (event) => {
		const found = known.get(event) ?? test(event);
		known.set(event, found);
		return found;
	};
}
