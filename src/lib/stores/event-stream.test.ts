import { get } from 'svelte/store';
import { expect, test, vi } from 'vitest';
import { WATCHDOG_MS, type Bye } from '../protocol';
import { PROBE_MS, WAKE_GRACE_MS } from './connection';
import {
	HIDDEN_MS,
	LEAVING_MS,
	LINGER_MS,
	LOOKS_ELSEWHERE,
	createEventStream,
	type StreamOptions,
	type StreamState,
} from './event-stream';
import { createFakeBrowser } from './testing/fake-browser';
import { START } from './testing/fixtures';
import type { Parse } from './check';
import { PARSERS } from './parse';
import { NEEDS_LOGIN, Refusal } from './status';

type Events = { word: string; bye: Bye };
const parseWord: Parse<string> = (data) =>
	typeof data === 'string'
		? { ok: true, value: data }
		: { ok: false, reason: `payload is ${JSON.stringify(data)}, not a text` };

function toStream(
	options: Partial<StreamOptions<Events>> = {},
	url: Parameters<typeof createEventStream>[0] = (cursor) => `/stream?cursor=${cursor ?? ''}`,
) {
	const browser = createFakeBrowser();
	const received: unknown[] = [];
	const stream = createEventStream<Events>(url, {
		parsers: { word: parseWord, bye: PARSERS.bye },
		onEvent: (...event) => received.push(event),
		environment: browser,
		...options,
	});
	let seen: StreamState[] = [];
	const subscribe = () => stream.subscribe((state) => (seen = [...seen, state]));
	const statuses = () =>
		seen.map(({ status }) => status).filter((status, i, all) => status !== all[i - 1]);
	const last = () => seen.at(-1) as StreamState;
	return { browser, received, stream, subscribe, statuses, last };
}

test('two subscribers share one connection, and it is closed a moment after the last has left', () => {
	const { browser, stream } = toStream();
	const leave = [stream.subscribe(() => {}), stream.subscribe(() => {})];
	expect(browser.sources).toHaveLength(1);
	leave[0]?.();
	browser.pass(10 * LINGER_MS);
	expect(browser.openCount()).toBe(1);
	leave[1]?.();
	browser.pass(LINGER_MS - 1);
	expect(browser.openCount()).toBe(1);
	browser.pass(1);
	expect([browser.openCount(), browser.timerCount()]).toEqual([0, 0]);
	browser.setOnline(true);
	browser.show();
	expect(browser.sources).toHaveLength(1);
});

test('a subscriber that comes back within the linger finds the connection as it was', () => {
	const { browser, subscribe, last } = toStream();
	const leave = subscribe();
	browser.source().send('word', 'one', 'e-1');
	leave();
	leave();
	browser.pass(LINGER_MS - 1);
	subscribe();
	browser.pass(10 * LINGER_MS);
	expect([browser.sources.length, browser.openCount(), last().status, last().cursor]).toEqual([
		1,
		1,
		'live',
		'e-1',
	]);
});

test('a subscriber that comes back later gets a new connection at the old position', () => {
	const { browser, subscribe } = toStream({ cursor: 'e-0' });
	const leave = subscribe();
	browser.source().send('word', 'one', 'e-1');
	leave();
	browser.pass(LINGER_MS);
	subscribe();
	expect(browser.sources.map(({ url }) => url)).toEqual([
		'/stream?cursor=e-0',
		'/stream?cursor=e-1',
	]);
});

test('on the server it stays connecting and starts nothing', () => {
	const after = vi.spyOn(globalThis, 'setTimeout');
	const { stream } = toStream({ environment: null, cursor: 'e-0' });
	const leave = stream.subscribe(() => {});
	stream.retry();
	expect(get(stream)).toEqual({
		status: 'connecting',
		attempt: 0,
		retryAt: null,
		lastError: null,
		lastEventAt: null,
		cursor: 'e-0',
	});
	leave();
	expect(after).not.toHaveBeenCalled();
	after.mockRestore();
	// and without being told so: there is no window here
	expect(() => get(toStream({ environment: undefined }).stream)).not.toThrow();
});

test('an event is handed on with its payload and the position after it', () => {
	const { browser, received, subscribe, last } = toStream({ cursor: 'e-0' });
	subscribe();
	browser.source().open();
	browser.source().send('word', 'without an id');
	browser.pass(5);
	browser.source().send('word', 'with one', 'e-1');
	expect(received).toEqual([
		['word', 'without an id', 'e-0'],
		['word', 'with one', 'e-1'],
	]);
	expect(last()).toEqual({
		status: 'live',
		attempt: 0,
		retryAt: null,
		lastError: null,
		lastEventAt: START + 5,
		cursor: 'e-1',
	});
});

test('a payload that cannot be read is reported and ignored, and the stream goes on', () => {
	const errors: string[] = [];
	const { browser, received, subscribe, last } = toStream({
		onError: (error) => errors.push(error),
	});
	subscribe();
	browser.source().send('word', 42);
	browser.source().sendText('word', '{');
	expect(last()).toMatchObject({ status: 'live', lastError: 'Event word: "{" is not JSON' });
	browser.source().send('word', 'fine');
	expect(errors).toEqual(['Event word: payload is 42, not a text', 'Event word: "{" is not JSON']);
	expect(received).toEqual([['word', 'fine', null]]);
	expect(last().lastError).toBe(null);
});

test('an error closes the source, waits, and opens a new one at the last position', async () => {
	const diagnose = vi.fn(async () => 'The server is not answering.');
	const { browser, subscribe, last, statuses } = toStream({ diagnose });
	subscribe();
	browser.source().send('word', 'one', 'e-1');
	browser.source().fail();
	expect(last()).toMatchObject({ status: 'waiting', attempt: 1, retryAt: START + 1_000 });
	await vi.waitFor(() => expect(last().lastError).toBe('The server is not answering.'));
	expect(browser.openCount()).toBe(0);
	browser.pass(1_000);
	browser.source().fail();
	expect(last()).toMatchObject({ attempt: 2, retryAt: START + 3_000 });
	browser.pass(2_000);
	browser.source().open();
	expect(last().attempt).toBe(2);
	browser.source().send('word', 'two', 'e-2');
	expect(last()).toMatchObject({ status: 'live', attempt: 0, lastError: null });
	expect(statuses()).toEqual([
		'connecting',
		'live',
		'waiting',
		'connecting',
		'waiting',
		'connecting',
		'live',
	]);
	expect(browser.sources.map(({ url }) => url)).toEqual([
		'/stream?cursor=',
		'/stream?cursor=e-1',
		'/stream?cursor=e-1',
	]);
});

test('what a closed source still says is not heard', () => {
	const { browser, received, subscribe, last } = toStream();
	subscribe();
	const old = browser.source();
	old.fail();
	old.open();
	old.send('word', 'late', 'e-9');
	old.fail();
	expect([received, last().attempt, last().cursor]).toEqual([[], 1, null]);
});

test('bye is no failure: it comes back when it was told to', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.source().send('bye', { retryMs: 2_500 });
	expect(last()).toMatchObject({ status: 'waiting', attempt: 0, retryAt: START + 2_500 });
	browser.pass(2_500);
	expect(browser.openCount()).toBe(1);
});

test('a stream silent for the length of the watchdog is taken for dead, and a speaking one is not', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.source().send('word', 'one');
	browser.pass(WATCHDOG_MS - 1);
	browser.source().send('word', 'two');
	browser.pass(WATCHDOG_MS - 1);
	expect([browser.sources.length, last().status]).toEqual([1, 'live']);
	browser.pass(1);
	expect([browser.openCount(), last().status]).toEqual([0, 'waiting']);
});

test('after sleep, data that was queued comes in time to keep the stream', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.source().send('word', 'one');
	browser.sleep(3_600_000);
	expect(last().status).toBe('live');
	browser.pass(WAKE_GRACE_MS - 1);
	browser.source().send('word', 'queued');
	browser.pass(WAKE_GRACE_MS);
	expect([browser.sources.length, last().status]).toEqual([1, 'live']);
	browser.sleep(3_600_000);
	browser.pass(WAKE_GRACE_MS);
	expect(last().status).toBe('waiting');
});

test('a tab hidden for long gives its connection back, and resumes when shown', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.source().send('word', 'one', 'e-1');
	browser.hide();
	browser.pass(HIDDEN_MS - 1);
	browser.show();
	browser.pass(1);
	expect(browser.openCount()).toBe(1);
	browser.hide();
	browser.pass(HIDDEN_MS);
	expect([browser.openCount(), browser.timerCount()]).toEqual([0, 0]);
	browser.show();
	expect([browser.openCount(), browser.source().url]).toEqual([1, '/stream?cursor=e-1']);
	expect(last().status).toBe('connecting');
});

test('a hidden tab gives its connection back at once when enough others are looked at, one that is seen never', () => {
	const { browser, subscribe } = toStream();
	subscribe();
	const look = (times: number) => {
		for (let i = 0; i < times; i++) browser.lookElsewhere();
	};
	look(2 * LOOKS_ELSEWHERE);
	browser.hide();
	look(LOOKS_ELSEWHERE - 1);
	browser.show();
	browser.hide();
	look(LOOKS_ELSEWHERE - 1);
	expect([browser.openCount(), browser.sources.length, browser.announced()]).toEqual([1, 1, 2]);
	look(1);
	expect([browser.openCount(), browser.timerCount()]).toEqual([0, 0]);
	browser.show();
	expect([browser.openCount(), browser.announced()]).toEqual([1, 3]);
});

test('a tab opened in the background connects when it is first looked at', () => {
	const { browser, subscribe, last } = toStream({ cursor: 'e-1' });
	browser.hide();
	subscribe();
	browser.tell('pageshow');
	browser.pass(HIDDEN_MS);
	expect([browser.sources.length, browser.timerCount()]).toEqual([0, 0]);
	browser.show();
	expect([browser.openCount(), browser.source().url]).toEqual([1, '/stream?cursor=e-1']);
	expect(last().status).toBe('connecting');
});

test('offline is said and waited out without an attempt, then over at once', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.setOnline(false);
	browser.pass(3_600_000);
	expect([last().status, browser.sources.length, browser.timerCount()]).toEqual(['offline', 1, 0]);
	browser.setOnline(true);
	browser.pass(500);
	expect(browser.openCount()).toBe(1);
});

test('after the last attempt it says so, goes on probing, and a person can ask at once', () => {
	const { browser, stream, subscribe, last } = toStream({ maxAttempts: 2 });
	subscribe();
	browser.source().fail();
	browser.pass(1_000);
	browser.source().fail();
	expect(last()).toMatchObject({ status: 'failed', attempt: 2, retryAt: START + 1_000 + PROBE_MS });
	browser.pass(PROBE_MS);
	expect([browser.sources.length, last().status]).toEqual([3, 'failed']);
	browser.source().fail();
	stream.retry();
	expect([browser.sources.length, last().status]).toEqual([4, 'connecting']);
	browser.source().send('word', 'back');
	expect(last().status).toBe('live');
});

test('leaving the page shows no failure, and coming back to it reopens', () => {
	const { browser, subscribe, last, statuses } = toStream();
	subscribe();
	browser.source().send('word', 'one', 'e-1');
	browser.tell('beforeunload');
	browser.source().fail();
	expect(statuses()).toEqual(['connecting', 'live']);
	browser.tell('pagehide');
	browser.pass(10 * LEAVING_MS);
	expect([browser.openCount(), last().attempt]).toEqual([0, 0]);
	browser.tell('pageshow');
	expect([browser.openCount(), browser.source().url]).toEqual([1, '/stream?cursor=e-1']);
});

test('an error while leaving counts after all when the page stays', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.tell('beforeunload');
	browser.source().fail();
	browser.pass(LEAVING_MS);
	expect(last()).toMatchObject({ status: 'waiting', attempt: 1 });
});

test('an explanation that comes after the recovery is not shown', async () => {
	let explain = (_: string): void => {};
	const diagnose = () => new Promise<string>((resolve) => (explain = resolve));
	const { browser, subscribe, last } = toStream({ diagnose });
	subscribe();
	browser.source().fail();
	browser.pass(1_000);
	browser.source().send('word', 'back');
	explain('The server is not answering.');
	await Promise.resolve();
	await Promise.resolve();
	expect(last()).toMatchObject({ status: 'live', lastError: null });
});

test('back on the page, an error counts at once again', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.tell('beforeunload');
	browser.tell('pagehide');
	browser.tell('pageshow');
	browser.source().fail();
	expect(last().status).toBe('waiting');
});

test('nothing is left running when a hidden tab loses its last subscriber', () => {
	const { browser, subscribe } = toStream();
	const leave = subscribe();
	browser.hide();
	leave();
	browser.pass(LINGER_MS);
	expect([browser.openCount(), browser.timerCount()]).toEqual([0, 0]);
});

test('an address that cannot be built, or opened, is a failure like any other, and says why', () => {
	let refuse: string | null = 'connect-src forbids it';
	const browser = createFakeBrowser();
	const openSource = (url: string) => {
		if (refuse) throw new Error(refuse);
		return browser.openSource(url);
	};
	const { subscribe, last } = toStream({
		environment: { ...browser, openSource },
		diagnose: async () => 'The server is answering.',
	});
	subscribe();
	expect(last()).toMatchObject({
		status: 'waiting',
		attempt: 1,
		lastError: 'The stream cannot be opened: connect-src forbids it',
	});
	refuse = null;
	browser.pass(1_000);
	browser.source().send('word', 'well');
	expect(last()).toMatchObject({ status: 'live', attempt: 0, lastError: null });
});

test('an explanation that fails or never comes does not keep the next one away', async () => {
	const answers = [
		Promise.reject(new Error('no')),
		new Promise<string>(() => {}),
		Promise.resolve('The third says it.'),
	];
	const { browser, subscribe, last } = toStream({ diagnose: () => answers.shift()! });
	subscribe();
	for (const wait of [1_000, 2_000, 4_000]) {
		browser.source().fail();
		browser.pass(wait);
	}
	await vi.waitFor(() => expect(last().lastError).toBe('The third says it.'));
});

test('a timer that fires before its time, because the clock was set back, is not the last', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	// twelve connections that die at once use up the minute
	for (let i = 0; i < 12; i++) {
		browser.source().send('bye', { retryMs: 0 });
		browser.pass(0);
	}
	expect([browser.sources.length, last().retryAt]).toEqual([12, START + 60_000]);
	browser.pass(30_000);
	browser.setClock(-5);
	browser.pass(30_000);
	expect(browser.sources).toHaveLength(12);
	browser.pass(5);
	expect(browser.sources).toHaveLength(13);
});

test('a clock set back while the page is left holds no error for longer', () => {
	const { browser, subscribe, last } = toStream();
	subscribe();
	browser.tell('beforeunload');
	browser.setClock(-3_600_000);
	browser.source().fail();
	browser.pass(LEAVING_MS);
	expect(last()).toMatchObject({ status: 'waiting', attempt: 1 });
});

test('a flood of events costs one timer, and each is handed on once', () => {
	const { browser, received, subscribe } = toStream();
	subscribe();
	for (let i = 0; i < 10_000; i++) browser.source().send('word', String(i), `e-${i}`);
	expect([browser.timerCount(), received.length]).toEqual([1, 10_000]);
	expect(received.at(-1)).toEqual(['word', '9999', 'e-9999']);
});

/** A stream whose address is promised: each call of the function waits until the test says what came of it. */
function toTokenStream(options: Partial<StreamOptions<Events>> = {}) {
	const asked: {
		cursor: string | null;
		keep: (address: string) => void;
		fail: (error: unknown) => void;
	}[] = [];
	const made = toStream(
		options,
		(cursor) => new Promise((keep, fail) => asked.push({ cursor, keep, fail })),
	);
	/** what was promised has been told */
	const told = () => new Promise((resolve) => setTimeout(resolve));
	return { ...made, asked, told };
}

test('an address may be promised: it connects when it comes, and each attempt asks for a new one', async () => {
	const { browser, asked, told, subscribe, last } = toTokenStream({ cursor: 'e-0' });
	subscribe();
	expect([browser.sources.length, last().status]).toEqual([0, 'connecting']);
	asked[0]?.keep('/stream?token=one');
	await told();
	browser.source().send('word', 'hello', 'e-1');
	browser.source().send('bye', { retryMs: 500 });
	browser.pass(500);
	expect([browser.openCount(), last().status]).toEqual([0, 'connecting']);
	asked[1]?.keep('/stream?token=two');
	await told();
	browser.source().send('word', 'again');
	expect(browser.sources.map(({ url }) => url)).toEqual(['/stream?token=one', '/stream?token=two']);
	expect(asked.map(({ cursor }) => cursor)).toEqual(['e-0', 'e-1']);
	expect(last()).toMatchObject({ status: 'live', attempt: 0 });
});

test('a promise that is not kept is a failed attempt: it waits, asks again, and says why', async () => {
	const diagnose = vi.fn(async () => 'The server is answering.');
	const { browser, asked, told, subscribe, last } = toTokenStream({ diagnose });
	subscribe();
	asked[0]?.fail(new TypeError('fetch failed'));
	await told();
	expect(last()).toMatchObject({
		status: 'waiting',
		attempt: 1,
		retryAt: START + 1_000,
		lastError: 'The stream cannot be opened: fetch failed',
	});
	browser.pass(1_000);
	// what the server said is told as it is: the page leads to the login by it
	asked[1]?.fail(new Refusal(NEEDS_LOGIN));
	await told();
	expect(last()).toMatchObject({ attempt: 2, retryAt: START + 3_000, lastError: NEEDS_LOGIN });
	browser.pass(2_000);
	asked[2]?.keep('/stream?token=three');
	await told();
	browser.source().send('word', 'hello');
	expect(last()).toMatchObject({ status: 'live', attempt: 0, lastError: null });
	expect(diagnose).not.toHaveBeenCalled();
});

test('an address that comes too late opens nothing', async () => {
	const ends: Record<string, (made: ReturnType<typeof toTokenStream>, leave: () => void) => void> =
		{
			'all left': (_, leave) => leave(),
			'the page was left': ({ browser }) => browser.tell('pagehide'),
			'the network went': ({ browser }) => browser.setOnline(false),
		};
	for (const [what, end] of Object.entries(ends)) {
		const made = toTokenStream();
		end(made, made.subscribe());
		made.browser.pass(LINGER_MS);
		made.asked[0]?.keep('/stream?token=late');
		await made.told();
		expect([made.browser.sources.length, made.browser.timerCount()], what).toEqual([0, 0]);
	}
});

test('one that never comes is given up with the watchdog, and is not opened beside the next one', async () => {
	const { browser, asked, told, subscribe, last } = toTokenStream();
	subscribe();
	browser.pass(WATCHDOG_MS);
	expect(last()).toMatchObject({ status: 'waiting', attempt: 1 });
	browser.pass(1_000);
	asked[1]?.keep('/stream?token=two');
	await told();
	asked[0]?.keep('/stream?token=one');
	await told();
	expect(browser.sources.map(({ url }) => url)).toEqual(['/stream?token=two']);
	browser.source().send('word', 'hello');
	expect([browser.openCount(), last().status]).toEqual([1, 'live']);
});

test('one that fails while the page is being left shows nothing', async () => {
	const { browser, asked, told, subscribe, statuses, last } = toTokenStream();
	subscribe();
	browser.tell('beforeunload');
	// the browser breaks off what is under way
	asked[0]?.fail(new TypeError('fetch failed'));
	await told();
	expect(statuses()).toEqual(['connecting']);
	browser.pass(LEAVING_MS);
	expect(last()).toMatchObject({ status: 'waiting', attempt: 1 });
});

test('(control) an address that is awaited without a look at what happened meanwhile opens for no subscriber, and twice', async () => {
	const browser = createFakeBrowser();
	const asked: ((address: string) => void)[] = [];
	const connect = async () =>
		browser.openSource(await new Promise<string>((keep) => asked.push(keep)));
	void connect();
	// left, and come back
	void connect();
	asked.forEach((keep) => keep('/stream?token=late'));
	await new Promise((resolve) => setTimeout(resolve));
	expect(browser.openCount()).toBe(2);
});
