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
import { createWindowStore, type StoreLimits, type StoreRow } from './window-store';

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

type Step = typeof stepArb extends fc.Arbitrary<infer T> ? T : never;
type Watched = { filter: Filter; view: View };

function toFilter(...texts: string[]): Filter {
	const parsed = parseFilter(texts);
	if (!parsed.ok) throw new Error(parsed.error);
	return parsed.filter;
}

/** Plays the steps; returns the views with all rows and the time at the end. */
function play(steps: readonly Step[], first: Filter, limits: StoreLimits = {}) {
	const store = createWindowStore(START, limits);
	const tables = createClauseTables(store);
	const index = createViewIndex(store);
	const open = (filter: Filter): Watched => ({
		filter,
		view: createView(store, tables, index, { filter, by: BY }),
	});
	const watched = [open(first), open([])];
	const rows: StoreRow[] = [];
	for (const step of steps) {
		if (step.kind === 'add') {
			const { path, plan, country, ageMs, ...row } = step.row;
			const properties = { ...(path !== null && { path }), ...(plan !== null && { plan }) };
			const context = country === null ? null : { country };
			const one = { ...row, properties, context, createdAt: store.at() - ageMs };
			rows.push(one);
			store.add(one);
		} else if (step.kind === 'advance') store.advance(store.at() + step.ms);
		else if (step.kind === 'open') watched.push(open(step.filter));
		else for (const { view } of watched) view.scan(0);
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
