/**
 * What events are distinguished by. A dimension is a fixed one or `props.<key>` for a scalar property.
 * The page's tabs, the filter, the window store and the SQL of history all read this list.
 */

/** In the order of the window store's columns. */
export const DIMENSIONS = [
	'name',
	'source',
	'host',
	'path',
	'referrer',
	'channel',
	'utm_source',
	'utm_medium',
	'utm_campaign',
	'utm_term',
	'utm_content',
	'country',
	'device',
	'browser',
	'os',
	'language',
	'session',
	'user',
] as const;
export type FixedDimension = (typeof DIMENSIONS)[number];
export type Dimension = FixedDimension | `props.${string}`;

export const PROPS = 'props.';

/** What no key of a property in a dimension may have: an operator, which would end it, and what no text of Postgres holds. */
const NOT_IN_KEY = /[:~^<>\0]|\p{Surrogate}/u;

/** Whether `text` names a dimension. A property's key may be any text that has no operator in it. */
export function isDimension(text: string): text is Dimension {
	if (text.startsWith(PROPS)) return text.length > PROPS.length && !NOT_IN_KEY.test(text);
	return (DIMENSIONS as readonly string[]).includes(text);
}

/** What a breakdown counts: its rows and the rest add up to this total of the same view. */
export type Measure = 'events' | 'page_views';

/** Pages and where they were reached from count page views; everything else counts events. */
const OF_PAGE_VIEWS: ReadonlySet<string> = new Set([
	'host',
	'path',
	'referrer',
	'channel',
	'utm_source',
	'utm_medium',
	'utm_campaign',
	'utm_term',
	'utm_content',
]);

/** What its breakdown counts. */
export function measureOf(dimension: Dimension): Measure {
	return OF_PAGE_VIEWS.has(dimension) ? 'page_views' : 'events';
}

/** The breakdowns of a view that asks for none. */
export const DEFAULT_BY: readonly Dimension[] = ['path', 'referrer', 'name', 'country'];
