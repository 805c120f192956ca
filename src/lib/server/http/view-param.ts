/**
 * The view that an address asks for: `f` repeated, `by`, and `source` as a short form. Used by the page, its stream, its
 * history and its values alike, so that all refuse the same with the same words.
 */
import { error } from '@sveltejs/kit';
import { DEFAULT_BY, DIMENSIONS, isDimension, PROPS, type Dimension } from '../../dimensions';
import { parseFilter, type Filter } from '../../filter';

/** The view of a request, and the part of it that its viewer cannot take off. */
export type AskedView = { filter: Filter; bound: Filter; by: readonly Dimension[] };

/** @param viewer may have a share link that is bound to a filter @throws a refusal, 400 */
export function readView(query: URLSearchParams, viewer: { filter: Filter } | null): AskedView {
	return { filter: readFilter(query), bound: viewer?.filter ?? [], by: readBreakdowns(query) };
}

/** Breakdowns of one view: every one is counted row by row. */
export const MAX_BREAKDOWNS = 8;

/** @throws a refusal, 400, that names the clause and the rule */
export function readFilter(query: URLSearchParams): Filter {
	const sources = query.getAll('source').filter((source) => source !== '');
	const texts = [...query.getAll('f'), ...sources.map((source) => `source:${source}`)];
	const parsed = parseFilter(texts);
	if (!parsed.ok) error(400, parsed.error);
	return parsed.filter;
}

/** The breakdowns that are on the screen; without `by` the default ones. @throws a refusal, 400 */
export function readBreakdowns(query: URLSearchParams): readonly Dimension[] {
	if (!query.has('by')) return DEFAULT_BY;
	const names = new Set(
		query
			.getAll('by')
			.flatMap((text) => text.split(','))
			.filter((name) => name !== ''),
	);
	if (names.size > MAX_BREAKDOWNS)
		error(400, `by names ${names.size} breakdowns: it may name at most ${MAX_BREAKDOWNS}.`);
	return [...names].map((name) => readDimensionName('by', name));
}

/** @param parameter that names it @throws a refusal, 400, that says which dimensions there are */
export function readDimensionName(parameter: string, name: string): Dimension {
	const named = `${parameter} names the unknown dimension ${JSON.stringify(name.slice(0, 40))}`;
	if (name.length > MAX_NAME_LENGTH)
		error(400, `${named}… of ${name.length} characters: one has at most ${MAX_NAME_LENGTH}.`);
	if (isDimension(name)) return name;
	return error(
		400,
		`${named}: use one of ${DIMENSIONS.join(', ')} or ${PROPS}<key>, without any of : ~ ^ < > in the key.`,
	);
}

const MAX_NAME_LENGTH = 200;
