/** How the page words each dimension, and which of them stand together on a tab. Pure, for the server and the browser. */
import { DEFAULT_BY, measureOf, PROPS, type Dimension, type FixedDimension } from './dimensions';
import type { Clause, Operator } from './filter';
import { DEFAULT_LOOK, displayNames, type Look } from './format';

type Words = {
	/** of a table: "Countries" */
	title: string;
	/** of a clause: "Country" */
	one: string;
	/** the events that have no value */
	none: string;
};

const WORDS: Record<FixedDimension, Words> = {
	name: { title: 'Event names', one: 'Event name', none: '(no name)' },
	source: { title: 'Sent by', one: 'Source', none: '(no source)' },
	host: { title: 'Hosts', one: 'Host', none: '(no host)' },
	path: { title: 'Pages', one: 'Page', none: '(no path)' },
	referrer: { title: 'Referrers', one: 'Referrer', none: 'Direct or internal' },
	channel: { title: 'Channels', one: 'Channel', none: 'Direct or internal' },
	utm_source: { title: 'UTM sources', one: 'UTM source', none: '(none)' },
	utm_medium: { title: 'UTM media', one: 'UTM medium', none: '(none)' },
	utm_campaign: { title: 'Campaigns', one: 'Campaign', none: '(none)' },
	utm_term: { title: 'UTM terms', one: 'UTM term', none: '(none)' },
	utm_content: { title: 'UTM contents', one: 'UTM content', none: '(none)' },
	country: { title: 'Countries', one: 'Country', none: 'Unknown' },
	device: { title: 'Devices', one: 'Device', none: 'Unknown' },
	browser: { title: 'Browsers', one: 'Browser', none: 'Unknown' },
	os: { title: 'Operating systems', one: 'Operating system', none: 'Unknown' },
	language: { title: 'Languages', one: 'Language', none: 'Unknown' },
	session: { title: 'Sessions', one: 'Session', none: '(no session)' },
	user: { title: 'Users', one: 'User', none: '(no user)' },
};

/** The words of a dimension; a property is called by its key. */
export function wordsOf(dimension: string): Words {
	if (dimension in WORDS) return WORDS[dimension as FixedDimension];
	const key = dimension.slice(PROPS.length);
	return { title: key, one: key, none: '(not set)' };
}

/** What the rows of a breakdown are: "page view", "page views". */
export function unitOf(dimension: string): readonly [one: string, many: string] {
	return measureOf(dimension as Dimension) === 'page_views'
		? ['page view', 'page views']
		: ['event', 'events'];
}

const CODES: { [dimension: string]: 'region' | 'language' } = {
	country: 'region',
	language: 'language',
};

/** A value as people read it: `DE` is Germany, an empty one says what is missing. */
export function toValueText(
	dimension: string,
	value: string,
	{ locale }: Look = DEFAULT_LOOK,
): string {
	if (value === '') return wordsOf(dimension).none;
	const type = CODES[dimension];
	if (type) return toName(type, value, locale);
	return dimension === 'channel' || dimension === 'device'
		? value.charAt(0).toUpperCase() + value.slice(1)
		: value;
}

function toName(type: 'region' | 'language', code: string, locale: string): string {
	try {
		return displayNames(locale, type).of(code) ?? code;
	} catch {
		// no code at all: what a sender wrote stays readable
		return code;
	}
}

const OPERATOR_WORDS: Record<Operator, [holds: string, negated: string]> = {
	':': ['is', 'is not'],
	'~': ['contains', 'does not contain'],
	'^': ['begins with', 'does not begin with'],
	'>': ['>', 'not >'],
	'>=': ['≥', 'not ≥'],
	'<': ['<', 'not <'],
	'<=': ['≤', 'not ≤'],
};

/** A clause as people read it: "Country is", "Germany". */
export function toClauseWords(
	{ dimension, operator, value, negated }: Clause,
	look: Look = DEFAULT_LOOK,
): { asks: string; value: string } {
	return {
		asks: `${wordsOf(dimension).one} ${OPERATOR_WORDS[operator][negated ? 1 : 0]}`,
		value: operator === ':' ? toValueText(dimension, value, look) : value,
	};
}

export type Tab = {
	title: string;
	by: readonly Dimension[];
	/** its breakdowns show their pictures */
	isDrawn?: true;
};

/** The tab where people are by page. */
export const PAGES = ['path', 'host'] as const satisfies readonly Dimension[];

/** The first one is the page without `by`. */
export const TABS: readonly Tab[] = [
	{ title: 'Overview', by: DEFAULT_BY },
	{ title: 'Pages', by: PAGES },
	{
		title: 'Sources',
		by: [
			'referrer',
			'channel',
			'utm_campaign',
			'utm_source',
			'utm_medium',
			'utm_term',
			'utm_content',
		],
	},
	{ title: 'Places', by: ['country', 'language'], isDrawn: true },
	{ title: 'Devices', by: ['device', 'browser', 'os'] },
	{ title: 'Events', by: ['name', 'source'] },
];

/** The tab that shows these breakdowns, also with properties beside them; none for another choice. */
export function tabOf(by: readonly string[]): Tab | undefined {
	const fixed = by.filter((dimension) => !dimension.startsWith(PROPS)).join();
	return TABS.find((tab) => tab.by.join() === fixed);
}
