import { expect, test } from 'vitest';
import { toEvent, toFigures, toMetrics, toState } from './testing/fixtures';
import { parseText } from './check';
import { PARSERS } from './parse';

const TOTALS = { pageViews: 1, activeSessions: 2, eventsCount: 3, eventsPerMinute: 4 };
const AT = '2026-11-23T14:00:00.000Z';

test('what the server sends is taken as it is', () => {
	const tick = { ...TOTALS, recordedAt: AT };
	const point = { at: 0, events: 1, pageViews: 1, sessions: 1 };
	const series = { minutes: [point], seconds: [point] };
	const payloads = {
		reset: toState({ series, previous: tick, events: [toEvent(1)] }),
		activity: { events: [toEvent(2), toEvent(3)], omitted: 1, ...toFigures(1, 3) },
		metrics: toMetrics(1, 3, { series }),
		ping: { now: AT, database: 'up', listener: 'deaf', reading: null, writing: null },
		bye: { retryMs: 1_500 },
	};
	for (const [name, payload] of Object.entries(payloads))
		expect(PARSERS[name as keyof typeof PARSERS](payload)).toEqual({ ok: true, value: payload });
});

test('a refusal names the path, the value and the rule', () => {
	const event = { ...toEvent(1), createdAt: 'yesterday' };
	const results = [
		PARSERS.activity({ events: [toEvent(2), event], omitted: 0, ...toFigures(1, 2) }),
		PARSERS.metrics({ ...toMetrics(1), eventsCount: '3' }),
		PARSERS.reset(toState({ events: [{ ...toEvent(1), properties: [] as never }] })),
		PARSERS.reset({ ...toState(), totals: undefined }),
		PARSERS.ping({ now: AT, database: 'gone', listener: 'up', reading: null, writing: null }),
		PARSERS.bye(null),
		parseText('{"retryMs":', PARSERS.bye),
	];
	expect(results.map((result) => (result.ok ? 'taken' : result.reason))).toEqual([
		'.events[1].createdAt is "yesterday", not an ISO 8601 time',
		'.eventsCount is "3", not a number',
		'.events[0].properties is [], not an object',
		'.totals is missing, not an object',
		'.database is "gone", not one of up, down',
		'payload is null, not an object',
		'"{\\"retryMs\\":" is not JSON',
	]);
});

test('further fields of a newer server do no harm', () => {
	expect(PARSERS.bye({ retryMs: 1, reason: 'deploy' }).ok).toBe(true);
});
