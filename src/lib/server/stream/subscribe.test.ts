import { describe, expect, test } from 'vitest';
import type { DashboardState } from '../../protocol';
import type { Shown } from '../live/state';
import { ALL, toViewKey, type ViewSpec } from '../live/views';
import type { Joined } from './client-stream';
import { createBus, type Frame } from './ring';
import { createSubscribe } from './subscribe';

const SHOP: ViewSpec = {
	filter: [{ dimension: 'source', operator: ':', value: 'shop', negated: false }],
	by: [],
};
const shownOf = (view: ViewSpec) =>
	({
		open: { ...view, key: toViewKey(view) },
		figures: { totals: {}, at: '' },
		series: { minutes: [], seconds: [] },
	}) as unknown as Shown;
const stateOf = ({ open }: Shown) =>
	({ cursor: 'e1-1', by: open.by, previous: null, events: [] }) as unknown as DashboardState;
const MISSED: Frame = { event: 'activity', bytes: new Uint8Array(1), id: 'e1-2' };
const here = { gone: () => false };

type Parts = Parameters<typeof createSubscribe>[0];

function start(parts: Partial<Parts> = {}) {
	const bus = createBus();
	bus.publish(MISSED);
	const calls: string[] = [];
	const shown = new Map<string, Shown>();
	const states = new Map<Shown, DashboardState>();
	const join = createSubscribe({
		bus,
		find(view) {
			const one = shown.get(toViewKey(view)) ?? shownOf(view);
			shown.set(toViewKey(view), one);
			return one;
		},
		ready: () => Promise.reject(new Error('it is complete')),
		state(one) {
			const state = states.get(one) ?? stateOf(one);
			states.set(one, state);
			return state;
		},
		async catchUp({ epoch, last }) {
			calls.push(`catch up from ${epoch} ${last}`);
			return null;
		},
		async failed(error) {
			calls.push(`failed: ${(error as Error).message}`);
		},
		isFor: () => true,
		...parts,
	});
	return { join, bus, calls };
}
const events = ({ frames }: Joined) => frames.map(({ event }) => event);

describe('a reset at the head of the ring', () => {
	test.each([
		['without a cursor', null, []],
		['with something that is no cursor', 'nonsense', []],
		['with a cursor that cannot be resumed', 'e1-1', ['catch up from e1 1']],
	])('%s', async (_, cursor, expected) => {
		const { join, bus, calls } = start();
		const way = await join(cursor, ALL, here);
		expect([events(way), way.position]).toEqual([['reset'], bus.head()]);
		expect(calls).toEqual(expected);
	});

	test('is encoded once for all clients of a view', async () => {
		const { join } = start();
		const [one, two, other] = await Promise.all([
			join(null, ALL, here),
			join(null, ALL, here),
			join(null, SHOP, here),
		]);
		expect(two!.frames[0]).toBe(one!.frames[0]);
		expect(other!.frames[0]).not.toBe(one!.frames[0]);
	});
});

test('a cursor that can be resumed gets what was missed and the whole chart, and no reset', async () => {
	const { join } = start({ catchUp: async () => ({ frames: [MISSED], position: 7 }) });
	const way = await join('e1-1', ALL, here);
	expect([events(way), way.position]).toEqual([['activity', 'metrics'], 7]);
});

test('waits until its view is complete, whether it has a cursor or not', async () => {
	for (const cursor of [null, 'e1-1']) {
		let complete: Shown | undefined;
		let finish = () => {};
		const { join } = start({
			find: () => complete,
			ready: () =>
				new Promise<void>((resolve) => {
					finish = () => {
						complete = shownOf(ALL);
						resolve();
					};
				}),
		});
		const joined = join(cursor, ALL, here);
		finish();
		expect(events(await joined)).toEqual(['reset']);
	}
});

test('while the database does not answer, catching up is tried again: no reset for that', async () => {
	let attempts = 0;
	const { join, calls } = start({
		async catchUp() {
			if (++attempts < 3) throw new Error('away');
			return { frames: [MISSED], position: 7 };
		},
	});
	expect(events(await join('e1-1', ALL, here))).toEqual(['activity', 'metrics']);
	expect(calls).toEqual(['failed: away', 'failed: away']);
});

test('a client that has gone is not caught up for', async () => {
	let gone = false;
	const { join, calls } = start({
		async catchUp() {
			gone = true;
			throw new Error('away');
		},
	});
	await join('e1-1', ALL, { gone: () => gone });
	expect(calls).toEqual(['failed: away']);
});
