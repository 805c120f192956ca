import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
	COUNT_WINDOW_MS,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TABLE_LENGTH,
	type Table,
	type Totals,
} from '../../protocol';
import { createAggregator, DIRECT, MAX_KINDS, NO_PATH, type WindowRow } from './windows';

const START = 1_800_000_000_000;

/** The definition, written out: what SQL would answer. */
function byDefinition(rows: WindowRow[], at: number): Totals {
	const within = (width: number) =>
		rows.filter((row) => at - width < row.createdAt && row.createdAt <= at);
	return {
		pageViews: within(COUNT_WINDOW_MS).filter((row) => row.name === 'page_view').length,
		activeSessions: new Set(
			within(SESSION_WINDOW_MS).flatMap((row) => (row.sessionId === null ? [] : [row.sessionId])),
		).size,
		eventsCount: within(COUNT_WINDOW_MS).length,
		eventsPerMinute: within(RATE_WINDOW_MS).length,
	};
}

const row = (createdAt: number, more: Partial<WindowRow> = {}): WindowRow => ({
	name: 'page_view',
	source: 'web',
	sessionId: 's',
	path: '/',
	referrer: null,
	createdAt,
	...more,
});
const sum = ({ rows, other }: Table) => rows.reduce((all, { count }) => all + count, other);

test('an event is inside its window from its own millisecond until exactly the width later', () => {
	const figures = createAggregator(START);
	figures.add(row(START));
	const seen = [0, RATE_WINDOW_MS - 1, RATE_WINDOW_MS, SESSION_WINDOW_MS - 1, SESSION_WINDOW_MS]
		.concat(COUNT_WINDOW_MS - 1, COUNT_WINDOW_MS)
		.map((later) => {
			figures.advance(START + later);
			return Object.values(figures.totals());
		});
	expect(seen).toEqual([
		[1, 1, 1, 1],
		[1, 1, 1, 1],
		[1, 1, 1, 0],
		[1, 1, 1, 0],
		[1, 0, 1, 0],
		[1, 0, 1, 0],
		[0, 0, 0, 0],
	]);
});

test('the time does not go back', () => {
	const figures = createAggregator(START);
	figures.advance(START - 1);
	expect(figures.at()).toBe(START);
});

test.each([MAX_KINDS, 3])(
	'after any history the figures are those of the definition, of all and of each source, and equal the sums of their tables, also where only %i kinds are told apart',
	(maxKinds) => {
		const step = fc.record({
			wait: fc.oneof(
				fc.nat({ max: 3 }),
				fc.nat({ max: 90_000 }),
				fc.nat({ max: 2 * COUNT_WINDOW_MS }),
			),
			rows: fc.array(
				fc.record({
					age: fc.oneof(
						fc.nat({ max: 5 }),
						fc.integer({ min: -120_000, max: COUNT_WINDOW_MS + 1_000 }),
					),
					name: fc.constantFrom('page_view', 'signup'),
					source: fc.constantFrom('web', 'app'),
					sessionId: fc.constantFrom(null, 'a', 'b', 'c'),
					path: fc.constantFrom(null, '/', '/a', '/b'),
					referrer: fc.constantFrom(null, 'x.test'),
				}),
				{ maxLength: 8 },
			),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
				const figures = createAggregator(START, maxKinds);
				const all: WindowRow[] = [];
				let at = START;
				for (const { wait, rows } of steps) {
					at += wait;
					figures.advance(at);
					for (const { age, ...more } of rows) {
						const one = row(at - age, more);
						all.push(one);
						figures.add(one);
					}
					for (const source of [null, 'web', 'app']) {
						const its = all.filter((row) => source === null || row.source === source);
						const totals = figures.totals(source);
						expect(totals).toEqual(byDefinition(its, at));
						const { names, pages, referrers, sources } = figures.tables(source);
						expect([sum(names), sum(pages), sum(referrers)]).toEqual([
							totals.eventsCount,
							totals.pageViews,
							totals.pageViews,
						]);
						expect(sum(sources)).toBe(figures.totals().eventsCount);
					}
				}
			}),
			{ numRuns: 50 },
		);
	},
);

test('a table names what is most frequent, ties by name, and counts the rest', () => {
	const figures = createAggregator(START);
	for (let i = 0; i < 12; i++)
		for (let n = 0; n <= i % 6; n++)
			figures.add(row(START, { path: `/${String(i).padStart(2, '0')}` }));
	const { pages } = figures.tables();
	expect(pages.rows.map(({ key, count }) => `${key} ${count}`)).toEqual([
		'/05 6',
		'/11 6',
		'/04 5',
		'/10 5',
		'/03 4',
		'/09 4',
		'/02 3',
		'/08 3',
	]);
	expect([pages.rows.length, pages.other]).toEqual([TABLE_LENGTH, 2 + 2 + 1 + 1]);
});

test('a page view without a path or a referrer is counted under a name of its own', () => {
	const figures = createAggregator(START);
	figures.add(row(START, { path: null }));
	const { pages, referrers } = figures.tables();
	expect([pages.rows, referrers.rows]).toEqual([
		[{ key: NO_PATH, count: 1 }],
		[{ key: DIRECT, count: 1 }],
	]);
});

test('what is beyond the kinds that are told apart is counted among the others, until something has left the window', () => {
	const figures = createAggregator(START, 2);
	for (const path of ['/a', '/b', '/c', '/d', '/a']) figures.add(row(START, { path }));
	figures.add(row(START, { name: 'signup' }));
	const look = () => {
		const { pages, names } = figures.tables();
		return [pages, names].map(({ rows, other }) => [
			...rows.map(({ key, count }) => [key, count]),
			['others', other],
		]);
	};
	expect(look()).toEqual([
		[
			['/a', 2],
			['/b', 1],
			['others', 2],
		],
		[
			['page_view', 5],
			['others', 1],
		],
	]);
	expect(figures.totals()).toMatchObject({ pageViews: 5, eventsCount: 6 });
	figures.advance(START + COUNT_WINDOW_MS);
	for (const path of ['/c', '/d']) figures.add(row(figures.at(), { path }));
	expect(look()).toEqual([
		[
			['/c', 1],
			['/d', 1],
			['others', 0],
		],
		[
			['page_view', 2],
			['others', 0],
		],
	]);
});

test('whoever sends another path each time takes a bounded part of memory; (control) without the bound it is all of it', () => {
	setFlagsFromString('--expose-gc');
	const collectGarbage = runInNewContext('gc') as () => void;
	/** bytes for each of so many rows */
	const keptFor = (maxKinds: number) => {
		const count = 20_000;
		const figures = createAggregator(START, maxKinds);
		figures.add(row(START));
		collectGarbage();
		const before = process.memoryUsage().heapUsed;
		for (let i = 0; i < count; i++)
			figures.add(row(START, { path: `/${i}`.padEnd(120, 'x'), referrer: `${i}.example` }));
		collectGarbage();
		const bytes = (process.memoryUsage().heapUsed - before) / count;
		expect(figures.totals().pageViews).toBe(count + 1);
		return bytes;
	};
	expect(keptFor(100)).toBeLessThan(50);
	expect(keptFor(Infinity)).toBeGreaterThan(500);
});
