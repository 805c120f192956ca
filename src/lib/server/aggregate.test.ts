import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COUNT_WINDOW_MS, RATE_WINDOW_MS, SESSION_WINDOW_MS, type Totals } from '../protocol';
import { createAggregator } from './aggregate';
import type { WindowRow } from './rows';

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

const row = (createdAt: number, name = 'page_view', sessionId: string | null = 's'): WindowRow => ({
	name,
	sessionId,
	createdAt,
});

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

test('after any history the figures are those of the definition', () => {
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
				sessionId: fc.constantFrom(null, 'a', 'b', 'c'),
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
				for (const { age, name, sessionId } of rows) {
					const one = row(at - age, name, sessionId);
					all.push(one);
					figures.add(one);
				}
				expect(figures.totals()).toEqual(byDefinition(all, at));
			}
		}),
		{ numRuns: 50 },
	);
});
