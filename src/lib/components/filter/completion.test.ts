import { expect, test } from 'vitest';
import { DEFAULT_LOOK } from '../../format';
import {
	toChoice,
	toDimensionOptions,
	toFault,
	toPropertyDimensions,
	toValueOptions,
	toValuesQuery,
} from './completion';

const values = {
	dimension: 'country',
	rows: [
		{ key: 'AT', count: 9 },
		{ key: 'DE', count: 5 },
	],
	other: 0,
	values: 2,
	at: '2026-03-01T12:00:00.000Z',
	measures: null,
};

test('before an operator, dimensions are offered by name and by what they are called', () => {
	const texts = (text: string) => toDimensionOptions(text, ['props.plan'])?.map(({ text }) => text);
	expect(texts('cou')).toEqual(['country:']);
	expect(texts('-page')).toEqual(['-path:']);
	expect(texts('plan')).toEqual(['props.plan:']);
	expect(texts('zzz')).toEqual([]);
	expect(texts('')).toHaveLength(12);
	expect(texts('country:')).toBeUndefined();
});

test('after it, values are offered by code and by name, and what was typed comes last', () => {
	const labels = (text: string) =>
		toValueOptions(text, values, DEFAULT_LOOK).map(({ text, label, count }) => [
			text,
			label,
			count,
		]);
	expect(labels('country:germ')).toEqual([
		['country:DE', 'Germany', 5],
		['country:germ', 'Country is germ', null],
	]);
	expect(labels('-country:AT')).toEqual([['-country:AT', 'Austria', 9]]);
	expect(labels('country~A')).toEqual([['country~A', 'Country contains A', null]]);
	expect(labels('path:/a')).toEqual([['path:/a', 'Page is /a', null]]);
	expect(labels('nothing:x')).toEqual([]);
});

test('a mistake is named, and a clause that is not finished is none', () => {
	expect(toFault('country')).toBeNull();
	expect(toFault('country:')).toBeNull();
	expect(toFault('path~')).toBeNull();
	expect(toFault('nothing:x')).toContain('unknown dimension "nothing"');
	expect(toFault('path>3')).toContain('compares numbers');
});

test('values are asked for under the other clauses of the filter', () => {
	const ask = (text: string) => String(toValuesQuery(toChoice(text)!, ['country:AT', 'os:Linux']));
	expect([ask('country:ger'), ask('path:/a b')]).toEqual([
		'dimension=country&limit=500&f=os%3ALinux',
		'dimension=path&limit=8&q=%2Fa+b&f=country%3AAT&f=os%3ALinux',
	]);
});

test('properties with a single value can be asked for', () => {
	const events = [{ properties: { plan: 'pro', list: [1], none: null, 'a:b': 1, n: 2 } }];
	expect(toPropertyDimensions(events)).toEqual(['props.n', 'props.plan']);
});
