/** The store of one session between the table and the stream. */
import { get } from 'svelte/store';
import { expect, test } from 'vitest';
import type { ActivityEvent } from '../protocol';
import type { SessionPath } from '../session';
import { createSession } from './session';
import { createFakeBrowser } from './testing/fake-browser';
import { toState, toTime } from './testing/fixtures';

const event = (id: number): ActivityEvent => ({
	id,
	eventId: `${id}`,
	name: 'step',
	source: 'web',
	sessionId: 's 1',
	properties: {},
	context: null,
	createdAt: new Date(1_000_000 + id).toISOString(),
});
const page = (ids: number[], more: Partial<SessionPath> = {}): SessionPath => ({
	session: 's 1',
	events: ids.map(event),
	older: null,
	...more,
});

const reset = toState;
const activity = ({ omitted = 0, ...rest }: { events: ActivityEvent[]; omitted?: number }) => ({
	...{ at: toTime(0), omitted },
	...rest,
});

/** @param answers in the order of the questions; a number is a status */
function open(...answers: (SessionPath | number)[]) {
	const browser = createFakeBrowser();
	const asked: string[] = [];
	const live = createSession({
		session: 's 1',
		environment: browser,
		fetch: (async (url: string) => {
			asked.push(url);
			const answer = answers.shift() ?? 500;
			if (typeof answer === 'number') return new Response('{}', { status: answer });
			return Response.json(answer);
		}) as typeof fetch,
	});
	const leave = live.subscribe(() => {});
	const shown = () => [get(live).state, ...get(live).events.map(({ id }) => id)];
	return { browser, asked, live, leave, shown };
}

test('the table’s page, what comes live, and older pages make one list, each event once', async () => {
	const { browser, asked, live, leave, shown } = open(
		page([9, 8], { older: '8-8', start: event(1), user: { id: 'anna', sessions: [] } }),
		page([7, 1]),
	);
	expect(browser.source().url).toBe(
		'/api/dashboard/stream?f=session%3As+1&by=&events=activity%2Cpresence',
	);
	await expect.poll(shown).toEqual(['read', 9, 8]);
	browser.source().open();
	browser.source().send('reset', reset({ events: [event(10), event(9)] }), 'e-1');
	browser.source().send('activity', activity({ events: [event(11)] }), 'e-2');
	expect(shown()).toEqual(['read', 11, 10, 9, 8]);
	await live.more();
	expect(shown()).toEqual(['read', 11, 10, 9, 8, 7, 1]);
	expect(asked).toEqual([
		'/api/dashboard/session?session=s+1',
		'/api/dashboard/session?session=s+1&before=8-8',
	]);
	expect(get(live)).toMatchObject({ hasOlder: false, start: { id: 1 }, user: { id: 'anna' } });
	leave();
});

test('a later reset, and events that were too many to be sent, read the first page again', async () => {
	const { browser, leave, shown, asked } = open(page([2, 1]), page([1]), page([4, 3, 1]));
	await expect.poll(shown).toEqual(['read', 2, 1]);
	browser.source().open();
	browser.source().send('reset', reset({ events: [] }), 'e-1');
	expect(asked).toHaveLength(1);
	// erased: what was shown does not stay
	browser.source().send('reset', reset({ events: [] }), 'f-1');
	await expect.poll(shown).toEqual(['read', 1]);
	browser.source().send('activity', activity({ events: [event(4)], omitted: 1 }), 'f-2');
	await expect.poll(shown).toEqual(['read', 4, 3, 1]);
	leave();
});

test('a session that is not there is missing until an event of it comes; a failure can be tried again', async () => {
	const missing = open(404);
	await expect.poll(missing.shown).toEqual(['missing']);
	missing.browser.source().open();
	missing.browser.source().send('activity', activity({ events: [event(1)] }), 'e-1');
	expect(missing.shown()).toEqual(['read', 1]);
	missing.leave();

	const failed = open(503, page([1]));
	await expect.poll(failed.shown).toEqual(['failed']);
	await failed.live.more();
	expect(failed.shown()).toEqual(['read', 1]);
	failed.leave();
});
