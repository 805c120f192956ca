import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
	COUNT_WINDOW_MS,
	RATE_WINDOW_MS,
	SESSION_WINDOW_MS,
	TABLE_LENGTH,
	type Table,
	type Totals,
} from '../protocol';
import { createAggregator, DIRECT, NO_PATH, type WindowRow } from './aggregate';

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

test('after any history the figures are those of the definition, of all and of each source, and equal the sums of their tables', () => {
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
			const figures = createAggregator(START);
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
});

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
