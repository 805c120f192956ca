import { expect, test } from 'vitest';
import { toAddress, withClause } from './address';
import { DEFAULT_BY } from './dimensions';

const all = { filter: [], by: DEFAULT_BY, range: null };

test('the address holds the filter, breakdowns other than the first ones, and the range', () => {
	expect([
		toAddress(all),
		toAddress({ ...all, filter: ['source:a b'] }),
		toAddress({ ...all, range: '7d' }),
		toAddress({ ...all, filter: ['country:DE', 'path:/a&b'], by: ['os'], range: '90d' }),
	]).toEqual(['./', '?f=source:a%20b', '?range=7d', '?f=country:DE&f=path:/a%26b&by=os&range=90d']);
});

test.each([['props.a+b:c&d=e#f'], ['name:%41'], ['path^/ü?x=1'], ['props.n>=-1.5']])(
	'%s comes back as it was',
	(clause) => {
		const { searchParams } = new URL(toAddress({ ...all, filter: [clause] }), 'http://a.test');
		expect(searchParams.getAll('f')).toEqual([clause]);
	},
);

test('a clause is added in canonical order, and taken off when it is there', () => {
	expect(withClause(['os:Linux'], 'country:DE')).toEqual(['country:DE', 'os:Linux']);
	expect(withClause(['country:DE', 'os:Linux'], 'country:DE')).toEqual(['os:Linux']);
});

test('there is no address for a clause too many or one that is none', () => {
	const full = Array.from({ length: 12 }, (_, i) => `path:/${i}`);
	expect(withClause(full, 'os:Linux')).toBeNull();
	expect(withClause(full, 'path:/3')).toHaveLength(11);
	expect(withClause([], 'nothing:x')).toBeNull();
	expect(withClause([], `path:${'x'.repeat(300)}`)).toBeNull();
});
