import { expect, test } from 'vitest';
import { DEFAULT_LOOK } from '../../format';
import { COUNT_WINDOW_MS, type ActivityEvent, type Presence } from '../../protocol';
import { toFacts, toGapText, toNowState, toSteps, toSubject } from './steps';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const event = (id: number, agoMs: number, change: Partial<ActivityEvent> = {}): ActivityEvent => ({
	id,
	eventId: `${id}`,
	name: 'page_view',
	source: 'web',
	sessionId: 's',
	properties: {},
	context: null,
	createdAt: new Date(NOW - agoMs).toISOString(),
	...change,
});

test('each step has its time since the one before, and the half hour is marked once', () => {
	const steps = toSteps(
		[event(3, 1_000), event(2, COUNT_WINDOW_MS), event(1, 3 * 86_400_000)],
		NOW,
	);
	expect(
		steps.map(({ gapMs, isBeforeWindow }) => [toGapText(gapMs, DEFAULT_LOOK), isBeforeWindow]),
	).toEqual([
		['30 min', false],
		['3 days', true],
		[null, false],
	]);
	expect([toSteps([], NOW), toGapText(999, DEFAULT_LOOK)]).toEqual([[], null]);
	// a session that has nothing newer needs no mark
	expect(toSteps([event(1, COUNT_WINDOW_MS)], NOW)[0]?.isBeforeWindow).toBe(false);
});

test('what it is doing now is what presence says, and nothing when that is not known', () => {
	const people = (active: number, idle: number, path: string): Presence => ({
		...{ active, idle },
		pages: { rows: active + idle > 0 ? [{ key: path, count: 1 }] : [], other: 0 },
	});
	expect(
		[people(1, 0, '/a'), people(0, 1, ''), people(0, 0, ''), 'unknown' as const, undefined].map(
			toNowState,
		),
	).toEqual([
		{ state: 'active', page: '/a' },
		{ state: 'idle', page: null },
		{ state: 'gone', page: null },
		null,
		null,
	]);
});

test('facts are those that events have, in words', () => {
	const start = event(1, 60_000, {
		properties: { path: '/', referrer: 'https://www.search.example/?q=x', utm_campaign: 'spring' },
		context: { country: 'DE', device: 'mobile', browser: 'Firefox', channel: 'search' },
	});
	const user = { id: 'anna', sessions: [] };
	expect(toFacts({ events: [event(2, 0, { source: 'app' })], start, user }, DEFAULT_LOOK)).toEqual([
		{ label: 'Came from', text: 'search.example · Search · campaign spring' },
		{ label: 'Place', text: 'Germany' },
		{ label: 'Device', text: 'Mobile · Firefox' },
		{ label: 'Sent by', text: 'app, web' },
		{ label: 'User', text: 'anna', clause: 'user:anna' },
	]);
	expect(toFacts({ events: [], start: event(1, 0), user: null }, DEFAULT_LOOK)).toEqual([
		{ label: 'Came from', text: 'Direct or internal' },
		{ label: 'Sent by', text: 'web' },
	]);
	const order = event(1, 0, { name: 'order', properties: { total: 42, list: [1], plan: 'pro' } });
	expect(toFacts({ events: [], start: order, user: null }, DEFAULT_LOOK)).toEqual([
		{ label: 'Sent by', text: 'web' },
	]);
	expect([toSubject(start), toSubject(order)]).toEqual(['/', 'total 42  plan pro']);
});
