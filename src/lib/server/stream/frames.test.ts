import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../filter';
import type { Activity, Metrics } from '../../protocol';
import { createState, type State } from '../live/state';
import { ALL, createViews, toViewKey, type ViewSpec } from '../live/views';
import { createWindowStore } from '../live/window-store';
import type { Batch } from '../reader/drain';
import { countOmitted } from '../reader/taken';
import { toActivityEvent, type Row } from '../reader/row';
import { pickFor, toActivity, toActivityOf, toFirstMetrics, toMetrics, toReset } from './frames';
import { createBus, type Frame } from './ring';
import { createWatchedViews, type WatchedViews } from './watched-views';

const START = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const CURSOR = { epoch: 'e1', last: 1n, holes: [] };
const TICK = {
	pageViews: 9,
	activeSessions: 9,
	eventsCount: 9,
	eventsPerMinute: 9,
	recordedAt: '',
};

const toRow = (id: number, source: string, createdAt = START): Row => ({
	...{ tx: BigInt(id), id: BigInt(id), eventId: `event ${id}`, name: 'page_view', source },
	...{ sessionId: null, properties: { path: `/${source}` }, context: null },
	...{ size: 20, createdAt, fault: null },
});
const toBatch = (rows: Row[], omitted: Row[] = []): Batch => ({
	...{ cursor: CURSOR, rows, omitted: countOmitted(omitted) },
});
const viewOf = (...texts: string[]): ViewSpec => {
	const parsed = parseFilter(texts);
	if (!parsed.ok) throw new Error(parsed.error);
	return { filter: parsed.filter, by: ['path'] };
};

/** A state with these views, and what it is after `rows`. */
async function show(specs: ViewSpec[], rows: Row[] = [], before: Row[] = []) {
	const store = createWindowStore(START);
	for (const row of before) store.add(row);
	const views = createViews(store);
	const watched = createWatchedViews();
	const events = before.map(toActivityEvent).reverse();
	const state = createState({ store, views, cursor: 'e1-1', previous: null, events });
	for (const spec of [ALL, ...specs]) {
		watched.watch(spec);
		const open = await views.open(spec);
		state.admit(open);
		watched.admit(open.key);
	}
	for (const row of rows) store.add(row);
	if (rows.length > 0) state.move('e1-2', rows.map(toActivityEvent));
	return { store, state, views, watched };
}

const keyOf = toViewKey;
const bytesFor = (frame: Frame, watched: WatchedViews, spec: ViewSpec) =>
	pickFor(frame, keyOf(spec), watched.since(keyOf(spec)));
const parse = <T>(bytes: Uint8Array | null) =>
	bytes && (JSON.parse(/^data: ?(.*)$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? '') as T);
const shownOf = (state: State, spec: ViewSpec) => state.shown(keyOf(spec)) as never;
const sizeOf = (frame: Frame) => {
	const bus = createBus();
	bus.publish(frame);
	return bus.bytes();
};

describe('an activity frame', () => {
	const [shop, web, german] = [viewOf('source:shop'), viewOf('source:web'), viewOf('country:DE')];

	test('has for each view its own events, figures and chart', async () => {
		const rows = [toRow(1, 'shop'), toRow(2, 'web'), toRow(3, 'shop')];
		const { state, watched } = await show([shop, web], rows);
		const frame = toActivity(toBatch(rows), state, watched, 'e1-2');
		const counts = [ALL, shop, web].map((spec) => {
			const data = parse<Activity>(bytesFor(frame, watched, spec));
			return [data?.events.length, data?.totals?.pageViews, data?.series?.minutes[0]?.events];
		});
		expect(counts).toEqual([
			[3, 3, 3],
			[2, 2, 2],
			[1, 1, 1],
		]);
	});

	test('is the same few bytes for every view in which nothing has changed', async () => {
		const rows = [toRow(1, 'shop')];
		const sizes: number[] = [];
		for (const count of [1, 500]) {
			const typed = Array.from({ length: count }, (_, i) => viewOf(`path:/typed ${i}`));
			const { state, watched } = await show([...typed, shop], rows);
			const frame = toActivity(toBatch(rows), state, watched, 'e1-2');
			const of = typed.map((spec) => bytesFor(frame, watched, spec));
			expect(new Set(of).size).toBe(1);
			expect(parse<Activity>(of[0] ?? null)).toEqual({
				...{ events: [], omitted: 0, at: new Date(START).toISOString() },
			});
			sizes.push(sizeOf(frame));
		}
		expect(sizes[1]).toBe(sizes[0]);
	});

	test('counts for each view what it omits, also what is older than the windows', async () => {
		const old = [toRow(3, 'late', START - HOUR_MS), toRow(4, 'counted', START - HOUR_MS)] as const;
		const specs = [viewOf('source:late'), viewOf('source:counted')];
		const { state, watched } = await show(specs, [old[0]]);
		const frame = toActivity(toBatch([old[0]], [old[1]]), state, watched, 'e1-2');
		const told = specs.map((spec) => parse<Activity>(bytesFor(frame, watched, spec)));
		expect(told.map((data) => [data?.events.length, data?.omitted])).toEqual([
			[1, 0],
			[0, 1],
		]);
	});

	test('brings what has changed in a view since its last frame, though only the time has passed since', async () => {
		const { store, state, watched } = await show([german], [toRow(1, 'shop')]);
		const row = { ...toRow(2, 'web'), context: { country: 'DE' } };
		store.add(row);
		state.settle();
		state.settle();
		const frame = toActivity(toBatch([toRow(3, 'x')]), state, watched, 'e1-3');
		const data = parse<Activity>(bytesFor(frame, watched, german));
		expect([data?.totals?.eventsCount, data?.series?.minutes.length]).toEqual([1, 1]);
	});

	test('of the past has the rows of one view with the figures of now', async () => {
		const rows = [toRow(1, 'shop'), toRow(2, 'web')];
		const { state } = await show([shop], rows);
		const { open, figures } = state.shown(keyOf(shop)) as never as Parameters<
			typeof toFirstMetrics
		>[0];
		const data = parse<Activity>(toActivityOf(open, toBatch(rows), figures, 'e1-2').bytes);
		expect([data?.events.map(({ id }) => id), data?.totals?.eventsCount]).toEqual([[1], 1]);
		expect(parse<Activity>(toActivityOf(open, toBatch(rows), undefined, 'e1-2').bytes)).toEqual(
			expect.not.objectContaining({ totals: expect.anything() as unknown }),
		);
	});
});

describe('a metrics frame', () => {
	test('carries the recorded tick for everything, and a filtered view’s own totals', async () => {
		const shop = viewOf('source:shop');
		const { state, watched } = await show([shop], [toRow(1, 'shop'), toRow(2, 'web')]);
		const frame = toMetrics(state, watched, TICK, TICK);
		const [all, filtered] = [ALL, shop].map((spec) =>
			parse<Metrics>(bytesFor(frame, watched, spec)),
		);
		expect([all?.eventsCount, all?.previous?.eventsCount]).toEqual([9, 9]);
		expect([filtered?.eventsCount, filtered?.previous]).toEqual([1, null]);
	});

	test('has the whole chart for a client that has just joined', async () => {
		const { state } = await show([], [toRow(1, 'shop')]);
		const shown = shownOf(state, ALL);
		const data = parse<Metrics>(toFirstMetrics(shown, state.of(shown)).bytes);
		expect([data?.series.minutes.length, data?.series.seconds.length]).toEqual([30, 30]);
	});
});

describe('a frame from before a view was watched', () => {
	test('is not for it, although others of that frame had nothing new', async () => {
		const [typed, shop] = [viewOf('path:/typed'), viewOf('source:shop')];
		const rows = [toRow(1, 'shop')];
		const { state, views, watched } = await show([typed], rows);
		const before = toActivity(toBatch(rows), state, watched, 'e1-2');
		watched.watch(shop);
		state.admit(await views.open(shop));
		watched.admit(keyOf(shop));
		expect(bytesFor(before, watched, typed)).not.toBeNull();
		expect(bytesFor(before, watched, shop)).toBeNull();
		state.move('e1-3', rows.map(toActivityEvent));
		const after = toActivity(toBatch(rows), state, watched, 'e1-3');
		expect(parse<Activity>(bytesFor(after, watched, shop))?.events).toHaveLength(1);
	});

	test('is not for it while it is watched and not complete', async () => {
		const shop = viewOf('source:shop');
		const { state, watched } = await show([], [toRow(1, 'shop')]);
		watched.watch(shop);
		const frame = toActivity(toBatch([toRow(1, 'shop')]), state, watched, 'e1-2');
		expect(bytesFor(frame, watched, shop)).toBeNull();
	});

	test('a reset without the view’s own state is for no client that watches it', async () => {
		const shop = viewOf('source:shop');
		const { state, watched } = await show([]);
		watched.watch(shop);
		watched.admit(keyOf(shop));
		expect(bytesFor(toReset(state, watched), watched, shop)).toBeNull();
		expect(bytesFor(toReset(state, watched), watched, ALL)).not.toBeNull();
	});
});
