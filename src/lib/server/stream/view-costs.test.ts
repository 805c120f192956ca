import { expect, test } from 'vitest';
import { createViewCosts } from './view-costs';

test('says how many live queries there are, and what was measured of them', () => {
	const costs = createViewCosts();
	expect(costs.part(1, 0)).toEqual({
		name: 'Live queries',
		state: 'fine',
		words: 'Filters with their breakdowns that are kept up to date; 0 on an open page.',
		figure: '1',
	});
	costs.framed(0, 5);
	costs.framed(4, 1);
	expect(costs.part(4, 2).words).toContain('2 on an open page. A frame 0.25 ms for each.');
	costs.opened(40);
	costs.opened(60);
	expect(costs.part(4, 2).words).toContain(
		'To open another takes 41 ms, a frame 0.25 ms for each.',
	);
});
