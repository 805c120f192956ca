import { isHttpError } from '@sveltejs/kit';
import { expect, test } from 'vitest';
import { DEFAULT_BY } from '../lib/dimensions';
import { toFilterTexts, type Filter } from '../lib/filter';
import { loadFirstFigures } from './load-dashboard.server';

/** What a page of this address is made from, and what was read for it. */
async function load(query: string) {
	const read: unknown[] = [];
	const locals = {
		history: { read: async (...of: unknown[]) => (read.push(of), { points: [] }) },
		live: {
			ready: () => Promise.resolve(),
			state: ({ filter }: { filter: Filter }) => ({ filter: toFilterTexts(filter) }),
			status: () => ({}),
		},
		viewLimits: { admit: () => Promise.resolve() },
		viewer: null,
	};
	const url = new URL(`http://localhost/?${query}`);
	try {
		const { state, history } = await loadFirstFigures({ locals, url } as never);
		return { state, history, read };
	} catch (thrown) {
		if (!isHttpError(thrown)) throw thrown;
		return { status: thrown.status, read };
	}
}

const FILTER: Filter = [{ dimension: 'source', operator: ':', value: 'shop', negated: false }];

test('a page of a source and a range', async () => {
	expect(await load('source=shop&range=24h')).toEqual({
		state: { filter: ['source:shop'] },
		history: { points: [] },
		read: [['24h', { filter: FILTER, bound: [], by: DEFAULT_BY }, 'UTC']],
	});
});

test.each(['%00', 'x'.repeat(300)])(
	'of the source %s no event can be: nothing is read',
	async (source) => {
		expect(await load(`range=24h&source=${source}`)).toEqual({ status: 400, read: [] });
	},
);
