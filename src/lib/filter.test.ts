import fc from '../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import { matches, parseClause, parseFilter, toFilterTexts, toGroups, toNumber } from './filter';

const parse = (...texts: string[]) => {
	const parsed = parseFilter(texts);
	return parsed.ok ? toFilterTexts(parsed.filter) : parsed.error;
};
const test1 = (text: string, value: string | null) => {
	const clause = parseClause(text);
	if (typeof clause === 'string') throw new Error(clause);
	return matches(clause, value);
};

describe('a filter as text', () => {
	test('is sorted and without repeats', () => {
		expect(parse('path:/b', 'country:DE', 'path:/a', 'path:/b')).toEqual([
			...['country:DE', 'path:/a', 'path:/b'],
		]);
		expect(parse()).toEqual([]);
	});

	test('the first operator ends the dimension; the rest is the value', () => {
		expect(parseClause('path:/a?x>=1:2')).toEqual({
			...{ dimension: 'path', operator: ':', value: '/a?x>=1:2', negated: false },
		});
		expect(parseClause('-props.a-b>=-1.5')).toEqual({
			...{ dimension: 'props.a-b', operator: '>=', value: '-1.5', negated: true },
		});
	});

	test.each([
		['path', 'no operator'],
		['planet:Mars', 'unknown dimension "planet"'],
		['props.:x', 'unknown dimension "props."'],
		['path~', 'no value after ~'],
		['path>1', 'works on props.<key> only'],
		['props.a<x', 'not a decimal number'],
		['props.a<1e3', 'not a decimal number'],
		['path:\0', 'a character that no event can have'],
		['path:\ud800', 'a character that no event can have'],
		[`path:${'x'.repeat(296)}`, 'at most 300'],
	])('%j is refused: %s', (text, reason) => {
		expect(parse(text)).toContain(reason);
	});

	test('its own text parses to the same filter, whatever the value', () => {
		const value = fc
			.string({ unit: 'binary', maxLength: 60 })
			.filter((text) => !text.includes('\0'));
		fc.assert(
			fc.property(fc.array(value, { maxLength: 6 }), (values) => {
				const once = parse(...values.map((one) => `path:${one}`));
				expect(Array.isArray(once) && parse(...once)).toEqual(once);
			}),
		);
	});
});

describe('a clause', () => {
	test.each<[string, string | null, boolean]>([
		['path:/a', '/a', true],
		['path:/a', '/A', false],
		['path:', null, true],
		['path:', '/a', false],
		['-path:', null, false],
		['-path:/a', null, true],
		['path~b', '/abc', true],
		['path~b', null, false],
		['-path~b', null, true],
		['path^/a', '/abc', true],
		['path^b', '/abc', false],
		['props.n>=10', '10', true],
		['props.n>10', '10', false],
		['props.n<2.5', '2.49', true],
		['props.n<=-1', '-1.0', true],
		['props.n>1', 'ten', false],
		['-props.n>1', 'ten', true],
	])('%s of %j is %j', (text, value, expected) => {
		expect(test1(text, value)).toBe(expected);
	});

	test('`:` clauses of one dimension are alternatives, all others must hold', () => {
		const parsed = parseFilter(['path:/a', 'path:/b', '-path:/c', '-path:/d', 'path~x']);
		const groups = parsed.ok ? toGroups(parsed.filter) : [];
		expect(groups.map((group) => toFilterTexts(group))).toEqual([
			['-path:/c'],
			['-path:/d'],
			['path:/a', 'path:/b'],
			['path~x'],
		]);
	});

	test('numbers are plain decimals that fit a double', () => {
		expect(['0', '-1.50', '9'.repeat(300)].every((text) => toNumber(text) !== null)).toBe(true);
		expect(['', '1e3', ' 1', '1.', '0x1', '9'.repeat(301)].map(toNumber)).toEqual(
			Array(6).fill(null),
		);
	});
});
