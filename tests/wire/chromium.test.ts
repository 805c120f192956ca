import fc from '../setup/fast-check';
import { chromium, type Browser, type Page as Tab } from 'playwright';
import { build } from 'vite';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { toBytes } from '../../src/lib/server/stream/sse';
import type { Page, StoreReport } from './page';
import type { Received } from './parsers';
import { PARSING, toReceived } from './parsing';
import { cases, MESSAGES_PER_STREAM, toStream } from './round-trip';
import { startScriptedServer, type Answer, type ScriptedServer } from './scripted-server';
import { ELSEWHERE, STORE } from './store';

const ENTRY = 'tests/wire/page.ts';
const MESSAGES = 5_000;
/** A reconnect may be later than asked for, never earlier (but for the grain of two clocks). */
const GRAIN_MS = 5;

let server: ScriptedServer;
let elsewhere: ScriptedServer;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
	const [built] = [
		await build({
			configFile: false,
			envDir: false,
			publicDir: false,
			logLevel: 'warn',
			build: { write: false, lib: { entry: ENTRY, formats: ['iife'], name: 'wire' } },
		}),
	].flat();
	if (!built || !('output' in built)) throw new Error(`${ENTRY}: the build gave no output.`);
	server = await startScriptedServer(built.output[0].code);
	elsewhere = await startScriptedServer('');
	browser = await chromium.launch(chromiumLaunchOptions());
	tab = await browser.newPage();
	await tab.goto(server.url);
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
	await elsewhere?.close();
});

type InPage = typeof globalThis & { page: Page };
const listen = (url: string, names: string[] = [], again = false) =>
	tab.evaluate(([url, names, again]) => (globalThis as InPage).page.listen(url, names, again), [
		url,
		names,
		again,
	] as const);
const readStore = (): Promise<StoreReport> =>
	tab.evaluate(() => (globalThis as InPage).page.readStore());

const startStore = (path: string, hurriesWatchdog = false) =>
	tab.evaluate(
		([path, hurriesWatchdog]) => (globalThis as InPage).page.startStore(path, hurriesWatchdog),
		[path, hurriesWatchdog] as const,
	);
const leaveStore = () => tab.evaluate(() => (globalThis as InPage).page.leaveStore());

/** A script's addresses of another origin. */
const toAnswers = (answers: Answer[]): Answer[] =>
	answers.map(({ headers, ...answer }) =>
		headers?.location === ELSEWHERE
			? { ...answer, headers: { location: `${elsewhere.url}/stream` } }
			: { ...answer, ...(headers && { headers }) },
	);

test.each(PARSING.map((row, i) => [row.wpt, row.fact, row, i] as const))(
	'Chromium reads %s: %s',
	async (_, __, row, i) => {
		const headers = { 'content-type': row.type ?? 'text/event-stream' };
		const path = server.play(`/parsing/${i}`, [{ headers, body: row.wire }]);
		const again = row.retryMs !== undefined;
		const names = row.events.map(([event]) => event);
		const { events, readyState, backAfterMs } = await listen(path, names, again);
		if (row.wrong?.Chromium) return expect(events, row.wrong.Chromium).toEqual([]);
		expect(events).toEqual(toReceived(row.events));
		expect(readyState, 'after a body that ended it reconnects').toBe(0);
		if (row.retryMs === undefined) return;
		// by the clock of the server, which knows before Chromium that the body has ended: a busy page hears of it late
		const [first, second] = server.asked(path);
		expect(second!.at - first!.at).toBeGreaterThanOrEqual(row.retryMs - GRAIN_MS);
		// Chromium's own pace is 3 s. A busy machine may be late, and is not late each time
		let soonest = backAfterMs ?? Infinity;
		for (let attempt = 0; attempt < 10 && soonest >= 2_900; attempt++) {
			const next = server.play(`/parsing/${i}/${attempt}`, [{ headers, body: row.wire }]);
			soonest = Math.min(soonest, (await listen(next, names, again)).backAfterMs ?? Infinity);
		}
		expect(soonest).toBeLessThan(2_900);
		const header = server.asked(path)[1]?.headers['last-event-id'];
		if (row.resumes !== undefined)
			expect(header && Buffer.from(String(header), 'latin1').toString()).toBe(
				row.resumes ?? undefined,
			);
	},
);

test.each(STORE.map((row, i) => [row.wpt, row.fact, row, i] as const))(
	'the store: %s: %s',
	async (_, __, row, i) => {
		const answers = toAnswers(row.answers);
		const heardOne = () =>
			expect
				.poll(async () => (await readStore()).words.length, { interval: 10 })
				.toBeGreaterThan(0);
		const path = server.play(`/store/${i}`, answers, heardOne);
		await startStore(path, row.hurriesWatchdog);
		await expect.poll(async () => (await readStore()).words, { interval: 10 }).toEqual(row.words);
		const { states, mostOpen } = await readStore();
		const queries = server.asked(path).map(({ query }) => query);
		// in a hurry the watchdog may have left the last stream too
		expect(row.hurriesWatchdog ? queries.slice(0, row.asked.length) : queries).toEqual(row.asked);
		if (row.hurriesWatchdog) return leaveStore();
		expect([mostOpen, states.at(-1)?.status, states.at(-1)?.attempt]).toEqual([1, 'live', 0]);
		if (row.attempts !== undefined)
			expect(Math.max(...states.map(({ attempt }) => attempt))).toBe(row.attempts);
		await leaveStore();
		if (!row.nativeStops) return;
		const native = await listen(server.play(`/native/${i}`, answers.slice(1)));
		expect([native.readyState, native.events, native.opened]).toEqual([2, [], false]);
	},
);

describe('the store', () => {
	test('eventsource-close: once the last subscriber has left, nothing is asked any more', async () => {
		const body = 'retry: 1\nevent: word\ndata: "one"\n\n';
		const path = server.play('/close', [{ body, then: 'stay' }]);
		await startStore(path);
		await expect.poll(async () => (await readStore()).words).toEqual(['one']);
		await leaveStore();
		await expect.poll(() => server.left(path)).toBe(1);
		// a native source whose body ended after that has come back meanwhile
		await listen(server.play('/close/native', [{ body }]), [], true);
		expect(server.asked(path)).toHaveLength(1);
	});

	test('eventsource-request-cancellation: stopped by the browser it comes back, a native source does not', async () => {
		const answers: Answer[] = [
			{ silent: 'stay' },
			{ body: 'event: word\ndata: "after"\n\n', then: 'stay' },
		];
		const [path, native] = ['/stop', '/stop/native'].map((path) => server.play(path, answers));
		await startStore(path!);
		const heard = listen(native!);
		await expect.poll(() => server.asked(path!).length + server.asked(native!).length).toBe(2);
		await tab.evaluate(() => window.stop());
		await expect.poll(async () => (await readStore()).words).toEqual(['after']);
		expect((await heard).readyState).toBe(2);
		await leaveStore();
	});

	test('request-accept, -cache-control, -credentials: what the browser asks with', async () => {
		const path = server.play('/headers', []);
		await startStore(path);
		await expect.poll(() => server.asked(path)).toHaveLength(1);
		expect(server.asked(path)[0]?.headers).toMatchObject({
			accept: 'text/event-stream',
			'cache-control': 'no-cache',
			cookie: 'login=yes',
		});
		await leaveStore();
	});
});

test(`generated messages, ${MESSAGES} in one stream, come back as they were`, async () => {
	const streams = fc
		.sample(cases, MESSAGES / MESSAGES_PER_STREAM)
		.map((one) => toStream(one, toBytes));
	const expected: Received[] = [];
	let id = '';
	for (const stream of streams)
		for (const message of stream.expected) {
			// in one stream the position goes on
			id = message.id || id;
			expected.push({ ...message, id });
		}
	const body = streams.flatMap(({ chunks }) => chunks);
	const names = expected.map(({ event }) => event);
	const { events } = await listen(server.play('/bulk', [{ body }]), [...new Set(names)]);
	expect(events).toHaveLength(expected.length);
	expect(events.find((event, i) => !isDeepStrictEqual(event, expected[i]))).toBeUndefined();
});
