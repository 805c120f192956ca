import { describe, expect, test } from 'vitest';
import type { DashboardState, Source } from '../../protocol';
import type { Joined } from './client-stream';
import { createBus, type Frame } from './ring';
import { createJoin } from './subscribe';

const stateOf = (source: Source) =>
	({ cursor: 'e1-1', source, series: [], previous: null, events: [] }) as unknown as DashboardState;
const MISSED: Frame = { event: 'activity', bytes: new Uint8Array(1), id: 'e1-2' };
const here = { gone: () => false };

type Parts = Parameters<typeof createJoin>[0];

function start(parts: Partial<Parts> = {}) {
	const bus = createBus();
	bus.publish(MISSED);
	const calls: string[] = [];
	const states = new Map<Source, DashboardState>();
	const join = createJoin({
		bus,
		state(source) {
			const state = states.get(source) ?? stateOf(source);
			states.set(source, state);
			return state;
		},
		begun: () => true,
		begins: () => Promise.reject(new Error('it has begun')),
		async catchUp({ epoch, last }) {
			calls.push(`catch up from ${epoch} ${last}`);
			return null;
		},
		async failed(error) {
			calls.push(`failed: ${(error as Error).message}`);
		},
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
		const way = await join(cursor, null, here);
		expect([events(way), way.position]).toEqual([['reset'], bus.head()]);
		expect(calls).toEqual(expected);
	});

	test('is encoded once for all clients of a source', async () => {
		const { join } = start();
		const [one, two, other] = await Promise.all([
			join(null, null, here),
			join(null, null, here),
			join(null, 'shop', here),
		]);
		expect(two!.frames[0]).toBe(one!.frames[0]);
		expect(other!.frames[0]).not.toBe(one!.frames[0]);
	});
});

test('a cursor that can be resumed gets what was missed, and no reset', async () => {
	const { join } = start({ catchUp: async () => ({ frames: [MISSED], position: 7 }) });
	const way = await join('e1-1', null, here);
	expect([events(way), way.position]).toEqual([['activity'], 7]);
});

test('before the first reading a client waits, whether it has a cursor or not', async () => {
	let begun = false;
	let begin = () => {};
	const begins = () =>
		new Promise<void>((resolve) => {
			begin = () => {
				begun = true;
				resolve();
			};
		});
	const { join, calls } = start({ begun: () => begun, begins });
	const joined = join('e1-1', null, here);
	expect(calls).toEqual([]);
	begin();
	expect(events(await joined)).toEqual(['reset']);
	expect(calls).toEqual(['catch up from e1 1']);
});

test('while the database does not answer, catching up is tried again: no reset for that', async () => {
	let attempts = 0;
	const { join, calls } = start({
		async catchUp() {
			if (++attempts < 3) throw new Error('away');
			return { frames: [MISSED], position: 7 };
		},
	});
	expect(events(await join('e1-1', null, here))).toEqual(['activity']);
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
	await join('e1-1', null, { gone: () => gone });
	expect(calls).toEqual(['failed: away']);
});
