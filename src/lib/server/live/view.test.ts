/** Views against counting all rows again: whatever arrives, whenever, and however the scan is cut into slices. */
import fc, { casesOf } from '../../../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import type { Dimension } from '../../dimensions';
import { measureOf } from '../../dimensions';
import { parseFilter, type Filter } from '../../filter';
import { TABLE_LENGTH, type Json } from '../../protocol';
import { createClauseTables } from './clause-tables';
import { readDimension } from './dimension-values';
import { createRowMatch } from './match-row';
import { createView, type View } from './view';
import { createViewIndex } from './view-index';
import {
	COUNTED_EXACTLY_MS,
	createWindowStore,
	toCountedAt,
	type StoreLimits,
	type StoreRow,
	type WindowStore,
} from './window-store';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const BY: Dimension[] = ['path', 'name', 'country', 'props.plan', 'session'];

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);
const rowArb = fc.record({
	name: oneOf('page_view', 'page_view', 'signup', 'order'),
	source: oneOf('web', 'shop'),
	sessionId: oneOf(null, 's1', 's2', 's3'),
	path: oneOf<Json>(null, '/a', '/b', '/b/c', 7),
	plan: oneOf<Json>(null, 'free', 'pro', 12, 1.5, true, '', { a: 1 }),
	country: oneOf<Json>(null, 'DE', 'AT', 'FR'),
	/** against the present time */
	ageMs: oneOf(-90_000, -5, 0, 0, 1, 900, 59_999, MINUTE, 5 * MINUTE, 29 * MINUTE, 31 * MINUTE),
});
const clauseArb = oneOf(
	...['path:/a', 'path:/b', '-path:/a', 'path~b', 'path^/b', 'path:', '-path:'],
	...['name:page_view', 'name:signup', 'source:shop', 'session:s1', '-session:'],
	...['country:DE', 'country:AT', '-country:DE', 'country:XX'],
	...['props.plan:pro', 'props.plan:12', 'props.plan>=2', 'props.plan<1.6', '-props.plan>2'],
	...['props.plan:true', 'props.none:', 'props.none~x', 'props.plan:'],
);
const filterArb = fc.array(clauseArb, { maxLength: 3 }).map((texts) => toFilter(...texts));
const stepArb = fc.oneof(
	{ weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), row: rowArb }) },
	{
		weight: 3,
		arbitrary: fc.record({
			kind: fc.constant('advance' as const),
			ms: oneOf(1, 500, 2_000, MINUTE, 5 * MINUTE, 29 * MINUTE, 61 * MINUTE),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('open' as const), filter: filterArb }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('scan' as const) }) },
);

type Drawn = typeof rowArb extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof stepArb extends fc.Arbitrary<infer T> ? T : never;
type Watched = { filter: Filter; view: View };

function toFilter(...texts: string[]): Filter {
	const parsed = parseFilter(texts);
	if (!parsed.ok) throw new Error(parsed.error);
	return parsed.filter;
}

function toRow({ path, plan, country, ageMs, ...row }: Drawn, at: number): StoreRow {
	const properties = { ...(path !== null && { path }), ...(plan !== null && { plan }) };
	return {
		...row,
		properties,
		context: country === null ? null : { country },
		createdAt: at - ageMs,
	};
}

/** Plays the steps over what is in the store; returns the views with all rows and the time at the end. */
function play(
	steps: readonly Step[],
	first: Filter,
	store: WindowStore = createWindowStore(START),
	before: readonly StoreRow[] = [],
	after: (step: number, views: readonly Watched[], rows: readonly StoreRow[]) => void = () => {},
) {
	const tables = createClauseTables(store);
	const index = createViewIndex(store);
	const open = (filter: Filter): Watched => ({
		filter,
		view: createView(store, tables, index, { filter, by: BY }),
	});
	const watched = [open(first), open([])];
	const rows: StoreRow[] = [...before];
	for (const [i, step] of steps.entries()) {
		if (step.kind === 'add') {
			const one = toRow(step.row, store.at());
			rows.push(one);
			store.add(one);
		} else if (step.kind === 'advance') store.advance(store.at() + step.ms);
		else if (step.kind === 'open') watched.push(open(step.filter));
		else for (const { view } of watched) view.scan(0);
		after(i, watched, rows);
	}
	for (const { view } of watched) while (!view.scan(0));
	return { store, rows, watched };
}

/** The same by counting every row. */
function count(rows: readonly StoreRow[], filter: Filter, at: number) {
	const match = createRowMatch({ filter });
	const within = (ms: number) =>
		rows.filter((row) => row.createdAt > at - ms && row.createdAt <= at && match(row));
	const all = within(30 * MINUTE);
	const views = all.filter(({ name }) => name === 'page_view');
	const sessions = within(5 * MINUTE).flatMap(({ sessionId }) => sessionId ?? []);
	return {
		totals: {
			pageViews: views.length,
			activeSessions: new Set(sessions).size,
			eventsCount: all.length,
			eventsPerMinute: within(MINUTE).length,
		},
		tables: Object.fromEntries(
			BY.map((dimension) => [
				dimension,
				toTable(
					(measureOf(dimension) === 'page_views' ? views : all).map(
						(row) => readDimension(row, dimension) ?? '',
					),
				),
			]),
		),
		minutes: toPoints(all, at, MINUTE, 30),
		seconds: toPoints(within(MINUTE), at, 2_000, 30),
	};
}

function toTable(keys: string[]) {
	const counts = new Map<string, number>();
	for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
	const sorted = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
	const rows = sorted.slice(0, TABLE_LENGTH).map(([key, count]) => ({ key, count }));
	return { rows, other: rows.reduce((rest, { count }) => rest - count, keys.length) };
}

function toPoints(rows: readonly StoreRow[], at: number, stepMs: number, length: number) {
	const last = Math.floor(at / stepMs);
	return Array.from({ length }, (_, i) => {
		const bucket = last - length + 1 + i;
		const its = rows.filter(({ createdAt }) => Math.floor(createdAt / stepMs) === bucket);
		return {
			at: bucket * stepMs,
			events: its.length,
			pageViews: its.filter(({ name }) => name === 'page_view').length,
			sessions: new Set(its.flatMap(({ sessionId }) => sessionId ?? [])).size,
		};
	});
}

function shown({ view }: Watched) {
	const { totals, tables } = view.figures();
	return { totals, tables, ...view.series() };
}

const RUNS = Number(process.env.VIEW_RUNS ?? casesOf({ short: 100, long: 300 }));

describe('a view', () => {
	test('equals counting every row again, whatever arrives and however the scan is sliced', () => {
		fc.assert(
			fc.property(fc.array(stepArb, { maxLength: 80 }), filterArb, (steps, filter) => {
				const { store, rows, watched } = play(steps, filter);
				for (const one of watched) expect(shown(one)).toEqual(count(rows, one.filter, store.at()));
			}),
			{ numRuns: RUNS },
		);
	});

	test('(control) distinct sessions summed over minutes would be noticed', () => {
		const row = { name: 'a', source: 'web', sessionId: 's1', properties: {}, context: null };
		const rows = [1, 2, 3].map((minutes) => ({ ...row, createdAt: START - minutes * MINUTE }));
		const { totals, minutes } = count(rows, [], START);
		expect(totals.activeSessions).toBe(1);
		expect(minutes.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(3);
	});
});

describe('rows that are filled in', () => {
	const THROUGH = START - 5 * MINUTE;
	const EXACT_THROUGH = START - 30 * MINUTE + COUNTED_EXACTLY_MS;
	const row = { name: 'page_view', source: 'web', sessionId: null, properties: {}, context: null };
	const pastArb = fc.array(
		fc.record({
			row: rowArb,
			ageMs: fc.oneof(
				fc.integer({ min: 0, max: 31 * MINUTE }),
				fc.integer({ min: 28 * MINUTE, max: 30 * MINUTE }),
				oneOf(5 * MINUTE, 5 * MINUTE + 1, 29 * MINUTE, 30 * MINUTE - 1),
			),
		}),
		{ maxLength: 60 },
	);

	/** A store that has what is newer than THROUGH, and what is to be filled in, in pieces of whole milliseconds. */
	function begin(past: readonly StoreRow[], limits: StoreLimits = {}) {
		const store = createWindowStore(START, limits);
		const rest: StoreRow[] = [];
		for (const row of past.toSorted((a, b) => b.createdAt - a.createdAt))
			if (row.createdAt > THROUGH) store.add(row);
			else if (row.createdAt > START - 30 * MINUTE) rest.push(row);
		const counted = new Map<number, { at: number; events: number; pageViews: number }>();
		for (const { createdAt, name } of rest) {
			const at = toCountedAt(createdAt, EXACT_THROUGH);
			const { events, pageViews } = counted.get(at) ?? { events: 0, pageViews: 0 };
			const views = pageViews + (name === 'page_view' ? 1 : 0);
			counted.set(at, { at, events: events + 1, pageViews: views });
		}
		store.expect([...counted.values()], THROUGH);
		const newest = () => rest[0]?.createdAt ?? -Infinity;
		return {
			store,
			/** @returns whether something was left */
			fillSome() {
				const to =
					rest.find(({ createdAt }, i) => i >= 2 && createdAt < newest())?.createdAt ?? -Infinity;
				const whole = rest.filter(({ createdAt }) => createdAt > to);
				store.fill(rest.splice(0, whole.length), to);
				return rest.length > 0 || whole.length > 0;
			},
		};
	}

	test('the totals of everything are exact meanwhile, and everything is when all are there', () => {
		fc.assert(
			fc.property(
				...[pastArb, fc.array(stepArb, { maxLength: 40 }), filterArb],
				(past, steps, filter) => {
					const before = past.map(({ row, ageMs }) => toRow({ ...row, ageMs }, START));
					const { store, fillSome } = begin(before);
					const { rows, watched } = play(steps, filter, store, before, (_, [, all], rows) => {
						fillSome();
						if (!all?.view.complete() || store.at() - START > COUNTED_EXACTLY_MS) return;
						const { totals } = count(rows, [], store.at());
						expect(all.view.figures().totals).toEqual(totals);
					});
					while (fillSome());
					store.filled();
					// what left its millisecond and not yet its second
					store.advance(store.at() + 1_000);
					for (const one of watched) {
						expect(one.view.figures().reach).toBe(null);
						expect(shown(one)).toEqual(count(rows, one.filter, store.at()));
					}
				},
			),
			{ numRuns: RUNS },
		);
	});

	test('tables and chart say how far they reach', () => {
		const ages = [1, 6, 7, 8, 20];
		const before = ages.map((minutes) => ({ ...row, createdAt: START - minutes * MINUTE }));
		const { store, fillSome } = begin(before);
		const { watched } = play([], toFilter('source:web'), store);
		const reaches = () => watched.map(({ view }) => view.figures().reach);
		expect(reaches()).toEqual([THROUGH, THROUGH]);
		expect(watched.map(({ view }) => view.figures().totals.eventsCount)).toEqual([1, 5]);
		expect(watched[0]?.view.series().minutes).toHaveLength(5);
		fillSome();
		expect(reaches()).toEqual([START - 8 * MINUTE, START - 8 * MINUTE]);
		expect(watched.map(({ view }) => view.figures().totals.eventsCount)).toEqual([3, 5]);
		expect(watched[0]?.view.changedSeries().minutes).toHaveLength(2);
		while (fillSome());
		expect(reaches()).toEqual([null, null]);
		expect(watched.map(({ view }) => view.figures().totals.eventsCount)).toEqual([5, 5]);
	});

	test('no more are kept than the bound; the others are counted by the millisecond', () => {
		const before = Array.from({ length: 40 }, (_, i) => ({
			...row,
			createdAt: START - 6 * MINUTE - i * 250,
		}));
		const { store, fillSome } = begin(before, { maxRows: 10 });
		while (fillSome());
		store.filled();
		const { watched } = play([], [], store);
		const eventsCount = () => watched[1]?.view.figures().totals.eventsCount;
		expect(store.rows()).toBeLessThanOrEqual(10);
		const firstLeaves = 24 * MINUTE - 39 * 250;
		for (const [ms, left] of [
			[firstLeaves - 1, 40],
			[firstLeaves, 39],
			[firstLeaves + 250 * 20 - 1, 20],
			[firstLeaves + 250 * 39, 0],
		] as const) {
			store.advance(START + ms);
			expect([ms, eventsCount()]).toEqual([ms, left]);
		}
	});

	test('(control) a piece that is missing is noticed', () => {
		const before = [6, 7].map((minutes) => ({ ...row, createdAt: START - minutes * MINUTE }));
		const { store } = begin(before);
		store.fill([], -Infinity);
		store.filled();
		const { watched } = play([], [], store);
		expect(watched[0] && shown(watched[0]).tables).not.toEqual(count(before, [], START).tables);
	});
});

describe('beyond its bounds', () => {
	const event = (createdAt: number, path = '/a'): StoreRow => ({
		name: 'page_view',
		source: 'web',
		sessionId: null,
		properties: { path },
		context: null,
		createdAt,
	});

	test('rows that are dropped stay in the totals of everything, and the view says how far it reaches', () => {
		const store = createWindowStore(START, { maxRows: 1_000 });
		const all = createView(store, createClauseTables(store), createViewIndex(store), {
			filter: [],
			by: ['path'],
		});
		all.scan(Infinity);
		for (let i = 0; i < 3_000; i++) store.add(event(START - 20 * MINUTE + i * 100));
		expect(store.rows()).toBeLessThanOrEqual(1_000);
		const { totals, reach } = all.figures();
		expect(totals).toMatchObject({ eventsCount: 3_000, pageViews: 3_000 });
		expect(reach).toBe(store.reach());
		store.advance(START + 30 * MINUTE);
		expect(all.figures()).toMatchObject({ totals: { eventsCount: 0, pageViews: 0 }, reach: null });
	});

	test('values that are not kept distinct are counted among the others, and a filter on them says so', () => {
		const store = createWindowStore(START, { maxValues: 2 });
		const tables = createClauseTables(store);
		const index = createViewIndex(store);
		const all = createView(store, tables, index, { filter: [], by: ['path'] });
		const one = createView(store, tables, index, { filter: toFilter('path:/c'), by: [] });
		for (const view of [all, one]) view.scan(Infinity);
		for (const path of ['/a', '/a', '/b', '/c', '/d']) store.add(event(START, path));
		expect(all.figures().tables.path).toEqual({
			rows: [
				{ key: '/a', count: 2 },
				{ key: '/b', count: 1 },
			],
			other: 2,
		});
		expect([one.figures().totals.eventsCount, one.figures().blurred]).toEqual([0, ['path']]);
		expect(all.figures().blurred).toEqual([]);
	});

	test('property keys beyond the bound are not kept distinct, until one of those has left the window', () => {
		const store = createWindowStore(START, { maxKeys: 1 });
		const row = (key: string, createdAt: number) => ({
			...event(createdAt),
			properties: { [key]: 'x' },
		});
		store.add(row('a', START));
		store.add(row('b', START));
		expect([store.keys(), store.keysOmitted()]).toEqual([['a'], true]);
		store.advance(START + 31 * MINUTE);
		store.add(row('c', store.at()));
		expect(store.keys()).toEqual(['c']);
	});
});
