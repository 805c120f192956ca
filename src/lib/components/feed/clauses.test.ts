import { expect, test } from 'vitest';
import { toPropertyClause } from './clauses';

test.each([
	[{ plan: 'pro' }, 'plan', 'props.plan:pro'],
	[{ total: 49.9 }, 'total', 'props.total:49.9'],
	[{ trial: true }, 'trial', 'props.trial:true'],
	[{ path: '/a/?x=1' }, 'path', 'path:/a?x=1'],
	[{ path: '/a/', slash: true }, 'path', 'path:/a/'],
	[{ utm_source: 'letter' }, 'utm_source', 'utm_source:letter'],
	[{ utm_id: '7' }, 'utm_id', 'props.utm_id:7'],
])('%j, %s: %s', (properties, key, clause) => {
	expect(toPropertyClause(properties, key)).toBe(clause);
});

test.each([[null], [''], [[1]], [{ a: 1 }], ['x'.repeat(257)], [1e300]])(
	'%j is nothing that events are distinguished by',
	(value) => {
		expect(toPropertyClause({ value }, 'value')).toBeNull();
	},
);
