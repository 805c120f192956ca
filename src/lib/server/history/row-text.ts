/**
 * What the text of a row must contain for a filter or a search to match it: tested in Postgres, so that rows which cannot
 * match are neither sent nor parsed. It lets through more than matches; the row filter decides. Pure.
 */
import { toAllGroups, type Clause, type Condition } from '../../filter';
import { MAX_VALUE_LENGTH } from '../live/dimension-values';

/**
 * Letters and digits that stand in the text of a row as they stand in a value. Everything else may be escaped by JSON or encoded
 * in an address, and `i` and `k` are the lower case of letters beyond ASCII too.
 */
const PLAIN = /[a-hjl-z0-9]/;
/** A path is shown with codes such as `%20` that its sender did not write. */
const PLAIN_IN_PATHS = /[ghjl-z]/;

/** A pattern of LIKE for a row's text in lower case; null: the value has nothing plain to look for. */
export function toPattern(value: string, plain = PLAIN): string | null {
	const parts = [...value.toLowerCase()].map((one) => (plain.test(one) ? one : '%'));
	const pattern = `%${parts.join('')}%`.replace(/%+/g, '%');
	return pattern === '%' ? null : pattern;
}

/** Lists of patterns: of each list one must be in the text of a row that matches. */
export function toPatterns(condition: Condition, search: string): string[][] {
	const groups = toAllGroups(condition).map((clauses) => clauses.map(toClausePattern));
	return [...groups, [toPattern(search)]].filter((group): group is string[] =>
		group.every((pattern) => pattern !== null),
	);
}

function toClausePattern({ dimension, operator, value, negated }: Clause): string | null {
	const isText = operator === ':' || operator === '~' || operator === '^';
	// a long value ends in a digest, which no row contains
	if (!isText || negated || value.length > MAX_VALUE_LENGTH / 2) return null;
	return toPattern(value, dimension === 'path' ? PLAIN_IN_PATHS : PLAIN);
}
