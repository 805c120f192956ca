import { expect, test } from 'vitest';
import { ACTIVE_MS, LEAVING_MS, LOST_MS, toEventClauses, toPresenceState } from './presence';

const NOW = 1_000_000_000;
const ago = (ms: number | null) => (ms === null ? null : NOW - ms);

test.each([
	// visible, ms since it was heard, since its input, since its event, since it left
	['a visible page with input', true, 0, 0, null, null, 'active'],
	['until 30 s after the input', true, 0, ACTIVE_MS - 1, null, null, 'active'],
	['a reader, from then on', true, 0, ACTIVE_MS, null, null, 'idle'],
	['a reader for hours', true, LOST_MS - 1, 9_000_000, null, null, 'idle'],
	['a page without any input', true, 0, null, null, null, 'idle'],
	['a page in the background, whatever its input', false, 0, 0, null, null, 'idle'],
	['an event of its own', false, 0, null, ACTIVE_MS - 1, null, 'active'],
	['an event keeps it here', true, LOST_MS, LOST_MS, LOST_MS - 1, null, 'idle'],
	['a page that is not heard of any more', true, LOST_MS, LOST_MS, null, null, 'gone'],
	['lost, whatever it did last', true, LOST_MS, ACTIVE_MS - 1, null, null, 'gone'],
	['one that left, while it may open the next page', true, 0, 0, null, LEAVING_MS - 1, 'active'],
	['one that left', true, 0, 0, null, LEAVING_MS, 'gone'],
	['one that left, whatever its last event', true, 0, 0, 0, LEAVING_MS, 'gone'],
] as const)('%s', (_, visible, heard, input, event, left, state) => {
	const signs = {
		visible,
		heardAt: NOW - heard,
		inputAt: ago(input),
		eventAt: ago(event),
		leftAt: ago(left),
	};
	expect(toPresenceState(signs, NOW)).toBe(state);
});

test('a lost page is gone within 40 s although it was written and read late', () => {
	// written up to 2 s after it was heard, read up to 1 s after that
	expect(LOST_MS + 2_000 + 1_000).toBeLessThan(40_000);
});

test('clauses on what only events have are named', () => {
	const texts = ['path:/a', 'name:signup', '-props.plan:pro', 'utm_source:x', 'session:a'];
	expect(toEventClauses(texts)).toEqual(['name:signup', '-props.plan:pro']);
});
