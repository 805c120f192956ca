import fc, { casesOf } from '../../../tests/setup/fast-check';
import { expect, test } from 'vitest';
import { WATCHDOG_MS, type Bye } from '../protocol';
import { MAX_ATTEMPTS_PER_MINUTE, type Status } from './connection';
import {
	HIDDEN_MS,
	LINGER_MS,
	createEventStream,
	type EventStream,
	type StreamOptions,
} from './event-stream';
import { createFakeBrowser, type FakeBrowser } from './testing/fake-browser';
import type { Parse } from './check';
import { PARSERS } from './parse';

const RUNS = casesOf({ short: 5_000, long: 25_000 });
const FIVE_MINUTES_MS = 5 * 60_000;

type Events = { word: number; bye: Bye };
const word: Parse<number> = (data) =>
	typeof data === 'number' ? { ok: true, value: data } : { ok: false, reason: 'not a number' };

/** What may happen, to a page, its browser, its machine, its network and its server. */
type Happening =
	| { type: 'pass' | 'sleep' | 'setClock' | 'bye'; ms: number }
	| { type: 'server'; does: (typeof SERVERS)[number] }
	| { type: Plain };
type Plain =
	| ('subscribe' | 'leave' | 'leaveInCallback' | 'retry' | 'retryInCallback')
	| ('event' | 'eventWithoutId' | 'unreadable' | 'fail' | 'open' | 'lateEvent')
	| ('hide' | 'show' | 'online' | 'offline' | 'beforeunload' | 'pagehide' | 'pageshow')
	| ('urlComes' | 'urlFails' | 'urlOfBeforeComes')
	| 'lookElsewhere';
/** `url soon` and `url later`: the address is a promise, which is kept after a moment or when it happens. */
const SERVERS = [
	...(['serve', 'refuse', 'accept and die', 'throw', 'throw at url'] as const),
	...(['url soon', 'url later'] as const),
];
const WELL: readonly (typeof SERVERS)[number][] = ['serve', 'url soon', 'url later'];
const toPlain = (...types: Plain[]) => types.map((type) => ({ type }));
const plain = toPlain(
	...(['subscribe', 'leave', 'leaveInCallback', 'retry', 'retryInCallback'] as const),
	...(['event', 'event', 'eventWithoutId', 'unreadable', 'fail', 'open', 'lateEvent'] as const),
	...(['hide', 'show', 'online', 'offline', 'beforeunload', 'pagehide', 'pageshow'] as const),
	...(['urlComes', 'urlComes', 'urlFails', 'urlOfBeforeComes'] as const),
	'lookElsewhere',
);
const timed = (type: 'pass' | 'sleep' | 'setClock' | 'bye', ms: fc.Arbitrary<number>) =>
	fc.record({ type: fc.constant(type), ms });
const span = fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(120_000));
const anything: fc.Arbitrary<Happening> = fc.oneof(
	{ weight: 12, arbitrary: fc.constantFrom(...plain) },
	{ weight: 8, arbitrary: timed('pass', span) },
	{ weight: 1, arbitrary: timed('sleep', fc.nat(8 * 3_600_000)) },
	{
		weight: 1,
		arbitrary: timed(
			'setClock',
			fc.oneof(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -36e5, max: 36e5 })),
		),
	},
	{ weight: 1, arbitrary: timed('bye', fc.nat(2_000)) },
	{
		weight: 2,
		arbitrary: fc.record({ type: fc.constant('server'), does: fc.constantFrom(...SERVERS) }),
	},
);
/** What makes a client that is not careful attempt again and again. */
const wakes: fc.Arbitrary<Happening> = fc.oneof(
	fc.constantFrom(...toPlain('retry', 'fail', 'show', 'online', 'pagehide', 'pageshow', 'event')),
	fc.constantFrom(...toPlain('urlComes', 'urlFails', 'urlOfBeforeComes')),
	fc.record({ type: fc.constant('server'), does: fc.constantFrom('serve', 'url later') }),
	timed('pass', fc.nat(300)),
	timed('bye', fc.nat(20)),
);
const histories: fc.Arbitrary<Happening[]> = fc.oneof(
	{ weight: 3, arbitrary: fc.array(anything, { maxLength: 40 }) },
	{ weight: 1, arbitrary: fc.array(anything, { maxLength: 40, size: 'medium' }) },
	{
		weight: 1,
		arbitrary: fc
			.array(wakes, { minLength: 30, maxLength: 90 })
			.map((storm) => [{ type: 'subscribe' } as const, ...storm]),
	},
);

/** A promise that is kept, or not, within the call that says so: a history has no moments between its happenings. */
type Later = { keep: (value: string) => void; fail: (reason: Error) => void };
function createLater(): Later & { promise: Promise<string> } {
	let keep: Later['keep'] = () => {};
	let fail: Later['fail'] = () => {};
	const then: Promise<string>['then'] = (onKept, onFailed) => {
		keep = (value) => void onKept?.(value);
		fail = (reason) => void onFailed?.(reason);
		return new Promise(() => {});
	};
	return {
		promise: { then } as Promise<string>,
		keep: (value) => keep(value),
		fail: (reason) => fail(reason),
	};
}

type Build = (
	url: (cursor: string | null) => string | Promise<string>,
	options: StreamOptions<Events>,
) => EventStream;

/**
 * Plays a history against a whole store, as a page with some subscribers would use it. In the end all is well again for
 * five minutes, the page is looked at, and then all subscribers leave.
 * @returns the rules that were broken
 */
function play(build: Build, history: Happening[]): string[] {
	const browser = createFakeBrowser();
	const broken = new Set<string>();
	const subscribers: (() => void)[] = [];
	const received: number[] = [];
	let attempts: number[] = [];
	/** addresses asked for, and those that have not come yet, oldest first */
	let asked = 0;
	let pending: (Later & { address: string })[] = [];
	let server: (typeof SERVERS)[number] = 'serve';
	let sent = 0;
	let position: string | null = null;
	/** the id that this connection last carried */
	let carried = '';
	let status: Status = 'connecting';
	let inCallback: 'leave' | 'retry' | null = null;

	const attempt = (cursor: string | null): void => {
		attempts = attempts.filter((at) => browser.elapsed() - at < 60_000);
		attempts.push(browser.elapsed());
		if (attempts.length > MAX_ATTEMPTS_PER_MINUTE) broken.add('too many attempts in a minute');
		if (cursor !== position) broken.add('resumes elsewhere');
	};
	const openSource: FakeBrowser['openSource'] = (url) => {
		if (server === 'throw') throw new Error('refused by a policy');
		if (browser.openCount() > 0) broken.add('two streams');
		if (!url.endsWith(`&n=${asked}`)) broken.add('opens an address of before');
		const source = browser.openSource(url);
		carried = '';
		if (WELL.includes(server)) return source;
		browser.after(5, () => {
			if (browser.source() !== source || browser.source().closed) return;
			if (server === 'accept and die') browser.source().open();
			browser.source().fail();
		});
		return source;
	};
	const stream = build(
		(cursor) => {
			attempt(cursor);
			if (server === 'throw at url') throw new Error('no address');
			const address = `/?cursor=${cursor ?? ''}&n=${++asked}`;
			if (server !== 'url soon' && server !== 'url later') return address;
			const later = createLater();
			const one = { ...later, address };
			pending.push(one);
			if (server === 'url soon') browser.after(5, () => settle(one, 'keep'));
			return later.promise;
		},
		{
			parsers: { word, bye: PARSERS.bye },
			onEvent: (...[name, payload]) => {
				if (name === 'word') received.push(payload);
			},
			// also an explanation that never comes, or fails
			diagnose: () => (sent % 2 ? Promise.reject(new Error('no answer')) : new Promise(() => {})),
			environment: { ...browser, openSource },
		},
	);
	const settle = (one: (typeof pending)[number] | undefined, how: 'keep' | 'fail'): void => {
		if (!one || !pending.includes(one)) return;
		pending = pending.filter((other) => other !== one);
		if (how === 'keep') one.keep(one.address);
		else one.fail(new Error('no token'));
	};
	const subscribe = (): void => {
		let leave = (): void => {};
		leave = stream.subscribe((state) => {
			status = state.status;
			const then = inCallback;
			inCallback = null;
			if (then === 'leave') leave();
			if (then === 'retry') stream.retry();
		});
		subscribers.push(leave);
	};
	/** what the server says on the open stream, if there is one that answers */
	const say = (name: 'word' | 'bye', payload: unknown, id?: string): void => {
		if (browser.openCount() === 0 || !WELL.includes(server)) return;
		if (id !== undefined) position = carried = id;
		browser.source().send(name, payload, carried);
	};
	const happen = (one: Happening): void => {
		if (one.type === 'pass') browser.pass(one.ms);
		else if (one.type === 'sleep') browser.sleep(one.ms);
		else if (one.type === 'setClock') {
			browser.setClock(one.ms);
			// a clock that jumps takes the memory of the last minute with it
			attempts = [];
		} else if (one.type === 'bye') say('bye', { retryMs: one.ms });
		else if (one.type === 'server') server = one.does;
		else if (one.type === 'subscribe') subscribe();
		else if (one.type === 'leave') subscribers.pop()?.();
		else if (one.type === 'leaveInCallback') inCallback = 'leave';
		else if (one.type === 'retryInCallback') inCallback = 'retry';
		else if (one.type === 'retry') stream.retry();
		else if (one.type === 'event') say('word', ++sent, `e-${sent}`);
		else if (one.type === 'eventWithoutId') say('word', ++sent);
		else if (one.type === 'unreadable') say('word', 'what?');
		else if (one.type === 'open' && browser.openCount() > 0) browser.source().open();
		else if (one.type === 'fail' && browser.openCount() > 0) browser.source().fail();
		else if (one.type === 'lateEvent' && browser.sources.length > 1)
			browser.sources[0]?.send('word', -1, 'e-0');
		else if (one.type === 'urlComes') settle(pending.at(-1), 'keep');
		else if (one.type === 'urlFails') settle(pending.at(-1), 'fail');
		else if (one.type === 'urlOfBeforeComes') settle(pending[0], 'keep');
		else if (one.type === 'hide') browser.hide();
		else if (one.type === 'lookElsewhere') browser.lookElsewhere();
		else if (one.type === 'show') browser.show();
		else if (one.type === 'online' || one.type === 'offline')
			browser.setOnline(one.type === 'online');
		else if (one.type === 'beforeunload' || one.type === 'pagehide' || one.type === 'pageshow')
			browser.tell(one.type);
		if (browser.openCount() > 1) broken.add('two streams');
	};

	try {
		for (const one of history) happen(one);
		recover();
	} catch {
		broken.add('throws');
	}
	return [...broken];

	function recover(): void {
		server = server.startsWith('url') ? 'url soon' : 'serve';
		inCallback = null;
		subscribe();
		browser.setOnline(true);
		browser.show();
		browser.tell('pageshow');
		// a server that is well says something at least this often
		for (let ms = 0; ms < FIVE_MINUTES_MS; ms += WATCHDOG_MS / 3) {
			browser.pass(WATCHDOG_MS / 3);
			happen({ type: 'event' });
		}
		if (status !== 'live' || browser.openCount() !== 1) broken.add('does not come back');
		if (received.some((n, i) => n <= (received[i - 1] ?? 0))) broken.add('out of order');
		browser.hide();
		browser.pass(HIDDEN_MS);
		if (browser.openCount() > 0) broken.add('streams while hidden');
		browser.show();
		browser.tell('beforeunload');
		browser.source().fail();
		for (const leave of subscribers) leave();
		browser.pass(LINGER_MS);
		while (pending.length > 0) settle(pending[0], 'keep');
		if (browser.openCount() > 0 || browser.timerCount() > 0) broken.add('leaves something behind');
	}
}

const check = (build: Build, numRuns: number) =>
	fc.check(
		fc.property(histories, (history) => {
			const broken = play(build, history);
			if (broken.length > 0) throw new Error(broken.join(', '));
		}),
		{ numRuns },
	);

test('whatever happens: one stream at most, a bounded rate, its own position, live in the end, nothing left behind', () => {
	const result = check(createEventStream<Events>, RUNS);
	expect(result.failed, fc.defaultReportMessage(result)).toBe(false);
});

/** The negative control: what most pages do. */
const naive: Build = (url, { parsers, onEvent, cursor = null, environment }) => {
	const state = { attempt: 0, retryAt: null, lastError: null, lastEventAt: null, cursor };
	const { openSource, window, document, after } = environment as FakeBrowser;
	return {
		retry: () => {},
		subscribe(run) {
			const ask = (): void => {
				const address = url(cursor);
				if (typeof address === 'string') open(address);
				else void address.then(open, ask);
			};
			const open = (address: string): void => {
				const source = openSource(address);
				run({ ...state, status: 'connecting' });
				source.addEventListener('open', () => run({ ...state, status: 'live' }));
				source.addEventListener('error', () => after(3_000, ask));
				source.addEventListener('word', (event) => {
					const parsed = parsers.word(JSON.parse((event as MessageEvent<string>).data));
					if (parsed.ok) onEvent('word', parsed.value, null);
				});
			};
			ask();
			const wake = (): void => void after(0, ask);
			window.addEventListener('online', wake);
			document.addEventListener('visibilitychange', wake);
			return () => {};
		},
	};
};

test('the negative control breaks every one of these rules', () => {
	const samples = fc.sample(histories, { numRuns: 3_000, seed: 1 });
	const broken = new Set(samples.flatMap((history) => play(naive, history)));
	expect([...broken].sort()).toEqual([
		'does not come back',
		'leaves something behind',
		'opens an address of before',
		'out of order',
		'resumes elsewhere',
		'streams while hidden',
		'throws',
		'too many attempts in a minute',
		'two streams',
	]);
});
