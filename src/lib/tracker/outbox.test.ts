import { afterEach, describe, expect, test, vi } from 'vitest';
import { toJson } from './guest';
import { LATE_MS, LINES, MAX_SIZE, SETTLED, toBatch, toItem, type Entry } from './outbox';

const NOW = Date.parse('2026-05-04T12:00:00.000Z');
const entry = (name: string, size = 0, at = NOW): Entry =>
	toJson({
		timestamp: at,
		eventId: `id of ${name}`,
		name,
		properties: { text: 'x'.repeat(size) },
	});
const names = (entries: Entry[]) =>
	entries.map((entry) => (JSON.parse(`${entry}`) as { name: string }).name);

describe('a batch', () => {
	const large = MAX_SIZE / 2 - 200;
	test.each([
		['everything when it is little', [entry('a'), entry('b')], MAX_SIZE, ['a', 'b']],
		['one, when only one is allowed', [entry('a'), entry('b')], 0, ['a']],
		['what fits', [entry('a', large), entry('b', large), entry('c', large)], MAX_SIZE, ['a', 'b']],
		[
			'in order: nothing overtakes',
			[entry('a', large), entry('b', 2 * large), entry('c')],
			MAX_SIZE,
			['a'],
		],
		[
			'never nothing, or leaving would not end',
			[entry('a', 2 * MAX_SIZE), entry('b')],
			MAX_SIZE,
			['a'],
		],
		['nothing of nothing', [], MAX_SIZE, []],
	])('is %s', (_, queue, maxEvents, expected) => {
		expect(names(toBatch(queue, maxEvents))).toEqual(expected);
	});

	test('stays below what browsers let outlive a page, whatever the characters', () => {
		const queue = Array.from({ length: 100 }, () => entry('€'.repeat(1_000)));
		const body = `[${toBatch(queue, MAX_SIZE).map(toItem)}]`;
		expect(new TextEncoder().encode(body).length).toBeLessThan(65_536);
	});
});

describe('an event says when it happened', () => {
	afterEach(() => void vi.useRealTimers());

	test('only when it was held up', () => {
		vi.useFakeTimers({ now: NOW });
		const sent = [NOW, NOW - LATE_MS, NOW - LATE_MS - 1].map(
			(at) => JSON.parse(toItem(entry('a', 0, at))) as { timestamp: number | null },
		);
		expect(sent.map(({ timestamp }) => timestamp)).toEqual([null, null, NOW - LATE_MS - 1]);
	});
});

describe('what waits for the next page', () => {
	const queue = [entry('a'), entry('b\n"}\u2028')];

	const parseLines = (text: string) => text.match(LINES) ?? [];

	test('comes back as it was', () => {
		expect(parseLines(queue.join('\n'))).toEqual(queue);
	});

	test.each([
		'',
		'[]',
		'null',
		'[{"at":1,"event":{"name":"old"}}]',
		'{"eventId":"of an older version"}',
		'{"other":1}',
		'\n\n',
	])('other content is passed over: %s', (foreign) => {
		expect(parseLines(foreign)).toEqual([]);
		expect(parseLines([foreign, ...queue, foreign].join('\n'))).toEqual(queue);
	});
});

test('an event is settled by an answer that takes or refuses it', () => {
	const isSettled = (status: unknown) => SETTLED.test(`${status}`);
	const settled = [200, 202, 302, 400, 403, 413].map(isSettled);
	const open = [undefined, null, 0, 408, 429, 500, 503, NaN, 'no'].map(isSettled);
	expect([new Set(settled), new Set(open)]).toEqual([new Set([true]), new Set([false])]);
});
