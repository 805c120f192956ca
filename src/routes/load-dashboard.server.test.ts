import { isHttpError } from '@sveltejs/kit';
import { expect, test } from 'vitest';
import { loadFirstFigures } from './load-dashboard.server';

/** What a page of this address is made from, and what was read for it. */
async function load(query: string) {
	const read: unknown[] = [];
	const locals = {
		history: { read: async (...of: unknown[]) => (read.push(of), { points: [] }) },
		live: { state: (source: string | null) => ({ source }), status: () => ({}) },
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

test('a page of a source and a range', async () => {
	expect(await load('source=shop&range=24h')).toEqual({
		state: { source: 'shop' },
		history: { points: [] },
		read: [['24h', 'shop', 'UTC']],
	});
});

test.each(['%00', 'x'.repeat(121)])(
	'of the source %s no event can be: nothing is read',
	async (source) => {
		expect(await load(`range=24h&source=${source}`)).toEqual({ status: 400, read: [] });
	},
);
