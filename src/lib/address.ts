/** The address of the page about a view: its filter (`f`), its breakdowns (`by`) and its range. Pure. */
import { DEFAULT_BY } from './dimensions';
import { FILTER_LIMITS, parseFilter, toFilterTexts } from './filter';
import type { HistoryRange } from './history';
import { toMomentText } from './moment';

/** What a page shows, as its address says it. */
export type PageView = {
	/** the values of `f`, canonical */
	filter: readonly string[];
	by: readonly string[];
	range: HistoryRange | null;
	/** the page at this time, ms since 1970; absent: now. Not with a range */
	at?: number | null;
	/** the session whose path is open beside the page */
	session?: string | null;
};

/** Relative to the page at the root. */
export function toAddress({ filter, by, range, at = null, session = null }: PageView): string {
	const query = [
		...filter.map((clause) => `f=${encode(clause)}`),
		...(by.join() === DEFAULT_BY.join() ? [] : [`by=${encode(by.join())}`]),
		...(range === null ? [] : [`range=${range}`]),
		...(at === null || range !== null ? [] : [`at=${encode(toMomentText(at))}`]),
		...(session === null ? [] : [`session=${encode(session)}`]),
	];
	return query.length > 0 ? `?${query.join('&')}` : './';
}

/** The address of the page about one event, whatever its age. */
export function toEventAddress(view: PageView, eventId: string): string {
	const address = toAddress(view);
	return `${address.startsWith('?') ? `${address}&` : '?'}event=${eventId}`;
}

/** With the clause, or without it where it was there; null: the filter has no room for it, or it is no clause. */
export function withClause(filter: readonly string[], clause: string): string[] | null {
	if (filter.includes(clause)) return filter.filter((one) => one !== clause);
	const parsed = parseFilter([...filter, clause]);
	return parsed.ok ? toFilterTexts(parsed.filter) : null;
}

/** Whether no clause can be added any more. */
export const isFull = (filter: readonly string[]) => filter.length >= FILTER_LIMITS.clauses;

/** Percent-encoded, but for what an address may hold as it is. */
function encode(text: string): string {
	return encodeURIComponent(text).replace(/%(3A|2F|2C)/g, decodeURIComponent);
}
