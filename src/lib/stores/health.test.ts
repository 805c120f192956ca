import { expect, test } from 'vitest';
import type { Health } from '../health';
import { createFakeBrowser } from './testing/fake-browser';
import { toTime } from './testing/fixtures';
import { ASK_MS, createHealth, HEALTH_URL, type Look } from './health';

const health = (version: string): Health => ({
	now: toTime(0),
	database: 'up',
	listener: 'up',
	reading: null,
	writing: null,
	state: 'fine',
	missing: [],
	version,
	startedAt: toTime(0),
	readAgoMs: null,
	readMs: null,
	tickAgoMs: null,
	clients: 0,
	ring: { frames: 0, bytes: 0, maxFrames: 1, maxBytes: 1 },
	heldEvents: 0,
	memoryBytes: 1,
	more: [],
	refused: [],
	robots: [],
	minutes: [],
});

/** Answers one after the other; an Error is a server that is not there. */
function toPage(...answers: (Health | Error | string | number)[]) {
	const browser = createFakeBrowser();
	const asked: string[] = [];
	const fetcher = (async (url: string) => {
		asked.push(url);
		const answer = answers.shift() ?? new Error('no more answers');
		if (answer instanceof Error) throw answer;
		if (typeof answer === 'number') return new Response('', { status: answer });
		return new Response(typeof answer === 'string' ? answer : JSON.stringify(answer));
	}) as typeof fetch;
	const looks: Look[] = [];
	const store = createHealth(health('0'), { environment: browser, fetch: fetcher });
	const leave = store.subscribe((look) => looks.push(look));
	return {
		browser,
		asked,
		looks,
		leave,
		said: () => looks.map(({ health, failure }) => [health.version, failure]),
	};
}

async function pass(browser: ReturnType<typeof createFakeBrowser>, ms: number) {
	browser.pass(ms);
	for (let turn = 0; turn < 10; turn++) await Promise.resolve();
	await new Promise((resolve) => setImmediate(resolve));
}

test('it asks every few seconds, and keeps what it knew when no answer comes', async () => {
	const page = toPage(health('1'), new Error('gone'), '<html>hotel</html>', 401, health('2'));
	for (let i = 0; i < 5; i++) await pass(page.browser, ASK_MS);
	expect(page.said()).toEqual([
		['0', null],
		['1', null],
		['1', 'The server is not answering.'],
		['1', 'Something else answers in the place of the server.'],
		['1', 'Log in to view this dashboard.'],
		['2', null],
	]);
	expect(new Set(page.asked)).toEqual(new Set([HEALTH_URL]));
});

test('a hidden page asks nothing; when it is shown it asks at once', async () => {
	const page = toPage(health('1'), health('2'));
	page.browser.hide();
	await pass(page.browser, 10 * ASK_MS);
	expect(page.asked).toHaveLength(0);
	page.browser.show();
	await pass(page.browser, 0);
	expect(page.said().at(-1)).toEqual(['1', null]);
});

test('without a subscriber there is no timer left, and a late answer is not shown', async () => {
	const page = toPage(health('1'));
	page.browser.pass(ASK_MS);
	page.leave();
	await pass(page.browser, 0);
	expect([page.browser.timerCount(), page.said()]).toEqual([0, [['0', null]]]);
});

test('on the server it stands still', () => {
	const looks: Look[] = [];
	createHealth(health('0'), { environment: null }).subscribe((look) => looks.push(look))();
	expect(looks).toEqual([{ health: health('0'), at: null, failure: null }]);
});
