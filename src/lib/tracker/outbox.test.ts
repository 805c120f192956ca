import { describe, expect, test } from 'vitest';
import { toJson } from './guest';
import {
	isSettled,
	LATE_MS,
	MAX_SIZE,
	parseLines,
	retryDelay,
	toBatch,
	toBody,
	type Entry,
} from './outbox';

const NOW = Date.parse('2026-05-04T12:00:00.000Z');
const entry = (name: string, size = 0, at = NOW): Entry =>
	toJson({
		eventId: `id of ${name}`,
		name,
		properties: { text: 'x'.repeat(size) },
		timestamp: new Date(at).toISOString(),
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
		expect(new TextEncoder().encode(toBody(toBatch(queue, MAX_SIZE), NOW)).length).toBeLessThan(
			65_536,
		);
	});
});

test('an event says when it happened only when it was held up', () => {
	const bodies = JSON.parse(
		toBody(
			[entry('now'), entry('soon', 0, NOW - LATE_MS), entry('late', 0, NOW - LATE_MS - 1)],
			NOW,
		),
	) as { name: string; timestamp?: string }[];
	expect(bodies.map(({ name, timestamp }) => [name, timestamp])).toEqual([
		['now', undefined],
		['soon', undefined],
		['late', '2026-05-04T11:59:29.999Z'],
	]);
});

test('waiting doubles from at most 2 seconds to about 4 minutes, spread over the upper half', () => {
	expect([1, 2, 3, 8, 9, 1_000].map((failures) => retryDelay(failures, 0))).toEqual([
		2_000, 4_000, 8_000, 256_000, 256_000, 256_000,
	]);
	expect([retryDelay(1, 1), retryDelay(1_000, 1)]).toEqual([1_000, 128_000]);
});

test('waiting begins where the server asked for it, if that is a time, and ends all the same', () => {
	const asked = ['60', '1e12', 'Wed, 21 Oct 2026 07:28:00 GMT', '-5', '', null, undefined];
	expect(asked.map((text) => retryDelay(1, 0, text))).toEqual([
		62_000, 602_000, 2_000, 2_000, 2_000, 2_000, 2_000,
	]);
	expect([retryDelay(1, 1, '60'), retryDelay(1_000, 0, '600')]).toEqual([61_000, 856_000]);
});

describe('what waits for the next page', () => {
	const queue = [entry('a'), entry('b\n"}\u2028')];

	test('comes back as it was', () => {
		expect(parseLines(queue.join('\n'))).toEqual(queue);
	});

	test.each([
		'',
		'[]',
		'null',
		'[{"at":1,"event":{"name":"old"}}]',
		'1800000000000{"eventId":"of an older version"}',
		'{"other":1}',
		'\n\n',
	])('other content is passed over: %s', (foreign) => {
		expect(parseLines(foreign)).toEqual([]);
		expect(parseLines([foreign, ...queue, foreign].join('\n'))).toEqual(queue);
	});
});

test('an event is settled by an answer that takes or refuses it', () => {
	const settled = [200, 202, 302, 400, 403, 413].map(isSettled);
	const open = [undefined, null, 0, 408, 429, 500, 503, NaN, 'no'].map(isSettled);
	expect([new Set(settled), new Set(open)]).toEqual([new Set([true]), new Set([false])]);
});
