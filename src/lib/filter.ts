/**
 * The page's filter as text: `f` repeated in the address, one clause each. Pure, and shared by both ends.
 * Clauses are joined with *and*; several `:` clauses on one dimension mean *or*.
 */
import { DIMENSIONS, isDimension, PROPS, type Dimension } from './dimensions';

/** `:` is, `~` contains, `^` begins with, the others compare numbers. Text is compared by case. */
export const OPERATORS = [':', '~', '^', '>=', '<=', '>', '<'] as const;
export type Operator = (typeof OPERATORS)[number];

export type Clause = {
	dimension: Dimension;
	operator: Operator;
	/** empty only with `:`, where it means "not there" */
	value: string;
	negated: boolean;
};
/** In canonical order, without repeats. Empty: everything. */
export type Filter = readonly Clause[];

export type ParsedFilter = { ok: true; filter: Filter } | { ok: false; error: string };

export const FILTER_LIMITS = { clauses: 12, clauseLength: 300 } as const;

/** The first operator ends the dimension's name. */
const CLAUSE = /^(-?)([^:~^<>]*)(:|~|\^|>=|<=|>|<)([\s\S]*)$/;
/** What no text of Postgres holds: NUL, and half of a surrogate pair. */
const UNSTORABLE = /\0|\p{Surrogate}/u;
/** What compares as a number: plain decimals, short enough to be finite in a double. */
const NUMBER = /^-?\d{1,300}(\.\d{1,300})?$/;

/**
 * @param texts the values of `f`, decoded
 * @returns the filter, or a sentence that names the clause and the rule
 */
export function parseFilter(texts: readonly string[]): ParsedFilter {
	if (texts.length > FILTER_LIMITS.clauses)
		return fail(
			`The filter has ${texts.length} clauses: it may have at most ${FILTER_LIMITS.clauses}.`,
		);
	const clauses: Clause[] = [];
	for (const text of texts) {
		const clause = parseClause(text);
		if (typeof clause === 'string') return fail(clause);
		clauses.push(clause);
	}
	return { ok: true, filter: toCanonical(clauses) };
}

/** @returns the clause, or why it is none */
export function parseClause(text: string): Clause | string {
	const shown = JSON.stringify(text.slice(0, 60));
	if (text.length > FILTER_LIMITS.clauseLength)
		return `The filter ${shown}… has ${text.length} characters: a clause may have at most ${FILTER_LIMITS.clauseLength}.`;
	if (UNSTORABLE.test(text)) return `The filter ${shown} has a character that no event can have.`;
	const found = CLAUSE.exec(text);
	if (!found) return `The filter ${shown} has no operator: use one of ${OPERATORS.join(' ')}.`;
	const [, minus, dimension = '', operator, value = ''] = found;
	if (!isDimension(dimension))
		return `The filter ${shown} names the unknown dimension ${JSON.stringify(dimension)}: use one of ${DIMENSIONS.join(', ')} or ${PROPS}<key>.`;
	const clause = { dimension, operator: operator as Operator, value, negated: minus === '-' };
	return faultOf(clause, shown) ?? clause;
}

function faultOf({ dimension, operator, value }: Clause, shown: string): string | null {
	if (operator === ':') return null;
	if (value === '') return `The filter ${shown} has no value after ${operator}.`;
	if (operator === '~' || operator === '^') return null;
	if (!dimension.startsWith(PROPS))
		return `The filter ${shown} compares numbers: ${operator} works on ${PROPS}<key> only.`;
	return toNumber(value) === null
		? `The filter ${shown} compares with ${JSON.stringify(value.slice(0, 40))}, which is not a decimal number.`
		: null;
}

/** The number that a value compares as; null for what is not a plain decimal. */
export function toNumber(text: string): number | null {
	return NUMBER.test(text) ? Number(text) : null;
}

/** A number without an exponent, as Postgres writes a numeric without trailing zeros. */
export function toDecimal(value: number): string {
	const text = String(value === 0 ? 0 : value);
	const found = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
	if (!found) return text;
	const [, sign = '', first = '', rest = '', exponent = '0'] = found;
	const digits = first + rest;
	const point = 1 + Number(exponent);
	if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
	return sign + digits.padEnd(point, '0');
}

/** A clause as it stands in an address, not yet percent-encoded. */
export function toClauseText({ dimension, operator, value, negated }: Clause): string {
	return `${negated ? '-' : ''}${dimension}${operator}${value}`;
}

/** The values of `f`, in canonical order: equal filters give equal texts. */
export function toFilterTexts(filter: Filter): string[] {
	return filter.map(toClauseText);
}

/** Sorted and without repeats. */
export function toCanonical(clauses: readonly Clause[]): Filter {
	const byText = new Map(clauses.map((clause) => [toClauseText(clause), clause]));
	return [...byText].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, clause]) => clause);
}

/** Whether a value (null: not there) is what the clause asks for, `negated` included. */
export function matches({ operator, value, negated }: Clause, found: string | null): boolean {
	return test(operator, value, found) !== negated;
}

function test(operator: Operator, value: string, found: string | null): boolean {
	if (operator === ':') return found === (value === '' ? null : value);
	if (found === null) return false;
	if (operator === '~') return found.includes(value);
	if (operator === '^') return found.startsWith(value);
	const number = toNumber(found);
	return number !== null && compare(operator, number, Number(value));
}

function compare(operator: Operator, a: number, b: number): boolean {
	if (operator === '>') return a > b;
	if (operator === '>=') return a >= b;
	if (operator === '<') return a < b;
	return a <= b;
}

/** What must hold: the page's own filter, and one that it cannot take off. */
export type Condition = { filter: Filter; bound?: Filter };

/** The groups of both, so that an *or* of one never reaches into the other. */
export function toAllGroups({ filter, bound = [] }: Condition): Clause[][] {
	return [...toGroups(filter), ...toGroups(bound)];
}

/** Clauses that must all hold; within a group one is enough: the plain `:` clauses of one dimension. */
export function toGroups(filter: Filter): Clause[][] {
	const groups = new Map<string, Clause[]>();
	for (const clause of filter) {
		const isChoice = clause.operator === ':' && !clause.negated;
		const key = isChoice ? clause.dimension : toClauseText(clause);
		const group = groups.get(`${isChoice} ${key}`);
		if (group) group.push(clause);
		else groups.set(`${isChoice} ${key}`, [clause]);
	}
	return [...groups.values()];
}

function fail(error: string): ParsedFilter {
	return { ok: false, error };
}
