/** What the filter's field offers for what has been typed. Pure. */
import { toClauseWords, toValueText, wordsOf } from '../../breakdowns';
import { DIMENSIONS, isDimension } from '../../dimensions';
import { parseClause, toClauseText, type Clause } from '../../filter';
import type { Look } from '../../format';
import type { Values } from '../../history';

export type Option = {
	/** what the field holds once it is chosen */
	text: string;
	label: string;
	/** null: not a value */
	count: number | null;
	/** a dimension: its value is still to be typed */
	isOpen: boolean;
};

export const MAX_OPTIONS = 8;
/** As many dimensions as a phone shows without scrolling. */
const MAX_DIMENSIONS = 12;
/** Offered first; the others follow in their own order. */
const FIRST = [
	'path',
	'name',
	'country',
	'referrer',
	'channel',
	'source',
	'device',
	'browser',
	'os',
];
const OPERATOR = /[:~^<>]/;

/** The dimensions that fit what was typed, before an operator is; null: there is an operator. */
export function toDimensionOptions(text: string, properties: readonly string[]): Option[] | null {
	if (OPERATOR.test(text)) return null;
	const minus = text.startsWith('-') ? '-' : '';
	const typed = text.slice(minus.length).trim().toLowerCase();
	return [...new Set([...FIRST, ...DIMENSIONS, ...properties])]
		.map((dimension) => ({ dimension, label: wordsOf(dimension).one }))
		.filter(({ dimension, label }) =>
			[dimension, label].some((name) => name.toLowerCase().includes(typed)),
		)
		.slice(0, MAX_DIMENSIONS)
		.map(({ dimension, label }) => ({
			text: `${minus}${dimension}:`,
			label,
			count: null,
			isOpen: true,
		}));
}

/** The clause whose value is being typed with `:`, whose values can be offered; null: another, or none. */
export function toChoice(text: string): Clause | null {
	const clause = parseClause(text);
	return typeof clause !== 'string' && clause.operator === ':' ? clause : null;
}

/** The values that fit, then the clause as it was typed; none for a text that is no clause. */
export function toValueOptions(text: string, values: Values | null, look: Look): Option[] {
	const clause = parseClause(text);
	if (typeof clause === 'string') return [];
	const rows = toChoice(text) && values?.dimension === clause.dimension ? values.rows : [];
	const found = rows
		.map(({ key, count }) => ({
			text: toClauseText({ ...clause, value: key }),
			label: toValueText(clause.dimension, key, look),
			count,
			isOpen: false,
		}))
		.filter(({ text, label }) => {
			const typed = clause.value.toLowerCase();
			return text.toLowerCase().includes(typed) || label.toLowerCase().includes(typed);
		})
		.slice(0, MAX_OPTIONS);
	if (found.some((option) => option.text === text)) return found;
	const { asks, value } = toClauseWords(clause, look);
	const typed = { text, label: `${asks} ${value}`, count: null, isOpen: false };
	return [...found, typed];
}

/** Whether a value's name differs from the value, so that all are needed to search by name. */
const isNamed = (dimension: string) => dimension === 'country' || dimension === 'language';
/** More countries and languages than there are. */
const ALL_NAMED = 500;

/** Asks for the most frequent values of the clause's dimension that contain its value, under the filter's other clauses. */
export function toValuesQuery(
	{ dimension, value }: Clause,
	filter: readonly string[],
): URLSearchParams {
	const all = isNamed(dimension);
	const query = new URLSearchParams({ dimension, limit: String(all ? ALL_NAMED : MAX_OPTIONS) });
	if (!all && value) query.set('q', value);
	for (const clause of filter) if (!isOf(clause, dimension)) query.append('f', clause);
	return query;
}

function isOf(text: string, dimension: string): boolean {
	const clause = parseClause(text);
	return typeof clause !== 'string' && clause.dimension === dimension;
}

/** Why what was typed is no clause; null: it is one, or its dimension is still being typed. */
export function toFault(text: string): string | null {
	if (!OPERATOR.test(text)) return null;
	const clause = parseClause(text);
	if (typeof clause !== 'string') return null;
	const dimension = text.replace(/^-/, '').split(OPERATOR)[0] ?? '';
	// an operator without its value yet is not a mistake
	return isDimension(dimension) && /[~^<>=]$/.test(text) ? null : clause;
}

/** Names of properties that the events on the page have, to be offered. */
export function toPropertyDimensions(
	events: readonly { properties: { [key: string]: unknown } }[],
): string[] {
	const keys = events.flatMap(({ properties }) =>
		Object.entries(properties)
			.filter(([, value]) => value !== null && typeof value !== 'object')
			.map(([key]) => `props.${key}`),
	);
	return [...new Set(keys)].filter(isDimension).sort();
}
