import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { collectLog } from '../../../../tests/setup/instances';
import { toFilterTexts, type Filter } from '../../filter';
import type { History } from '../../history';
import type { Sql } from '../db/connect';
import { createHistory, MOST_READINGS } from './history-cache';
import { BusyError } from './readings';
import { ZoneError } from './range-query';

const sql = null as unknown as Sql;
const viewOf = (source?: string): { filter: Filter; by: [] } => ({
	filter:
		source === undefined
			? []
			: [{ dimension: 'source', operator: ':', value: source, negated: false }],
	by: [],
});
const answer = (begins: string | null = '2026-01-01T00:00:00Z') =>
	({ begins }) as unknown as History;

test('who asks for the same shares one reading, for some seconds; another source or zone is read', async () => {
	let time = 0;
	const asked: string[] = [];
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		now: () => time,
		read: async (_, { range, filter, zone }) => {
			asked.push(`${range} ${toFilterTexts(filter).join()} ${zone}`);
			return answer();
		},
	});
	await Promise.all([1, 2, 3].map(() => read('7d', viewOf(), 'UTC')));
	await read('7d', viewOf('a'), 'UTC');
	await read('7d', viewOf(), 'Europe/Berlin');
	time = 14_999;
	await read('7d', viewOf(), 'UTC');
	time = 15_000;
	await read('7d', viewOf(), 'UTC');
	expect(asked).toEqual(['7d  UTC', '7d source:a UTC', '7d  Europe/Berlin', '7d  UTC']);
});

test('a failure is logged and not kept; a zone that is none is no failure of ours', async () => {
	const { log, lines } = collectLog();
	let fails = true;
	const { read } = createHistory({
		sql,
		log,
		read: async (_, { zone }) => {
			if (zone === 'Mars') throw new ZoneError(zone);
			if (fails) throw new Error('the database is away');
			return answer();
		},
	});
	await expect(read('7d', viewOf(), 'Mars')).rejects.toThrow(ZoneError);
	expect(lines).toEqual([]);
	await expect(read('7d', viewOf(), 'UTC')).rejects.toThrow('away');
	expect(lines.join()).toMatch(/history was not read/);
	fails = false;
	expect(await read('7d', viewOf(), 'UTC')).toEqual(answer());
});

test('before anything is counted the answer is kept for a moment only', async () => {
	let time = 0;
	let begins: string | null = null;
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		now: () => time,
		read: async () => answer(begins),
	});
	expect((await read('90d', viewOf(), 'UTC')).begins).toBeNull();
	begins = '2026-01-01T00:00:00Z';
	time = 2_001;
	expect((await read('90d', viewOf(), 'UTC')).begins).toBe(begins);
});

test('sources and zones are remembered up to a bound', async () => {
	let reads = 0;
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		read: async () => (reads++, answer()),
	});
	for (let i = 0; i < 300; i++) await read('7d', viewOf(`source ${i}`), 'UTC');
	await read('7d', viewOf('source 299'), 'UTC');
	expect(reads).toBe(300);
	await read('7d', viewOf('source 0'), 'UTC');
	expect(reads).toBe(301);
});

/** Readings that are over when the test says so. */
function createSlow() {
	const { log, lines } = collectLog();
	const begun: { name: string; end: () => void; fail: () => void }[] = [];
	const { read } = createHistory({
		sql,
		log,
		read: (_, { filter }) =>
			new Promise<History>((resolve, reject) => {
				const end = () => resolve(answer());
				begun.push({ name: filter[0]?.value ?? '', end, fail: () => reject(new Error('away')) });
			}),
	});
	const outcome = (source: string) =>
		read('7d', viewOf(source), 'UTC').then(
			() => 'read',
			(error: Error) => error.name,
		);
	return { begun, outcome, lines };
}
const names = Array.from({ length: MOST_READINGS }, (_, i) => `source ${i}`);

test('so many are read at a time; who asks for more is refused, who asks for one of them waits for it', async () => {
	const { begun, outcome, lines } = createSlow();
	const first = names.map(outcome);
	const more = Array.from({ length: 1_000 }, (_, i) => outcome(`more ${i}`));
	const same = outcome('source 0');
	expect(new Set(await Promise.all(more))).toEqual(new Set([new BusyError().name]));
	expect([begun.map(({ name }) => name), lines]).toEqual([names, []]);
	begun[0]?.end();
	expect(await Promise.all([first[0], same])).toEqual(['read', 'read']);
	const next = outcome('next');
	expect([begun.at(-1)?.name, await outcome('one too many')]).toEqual(['next', 'BusyError']);
	// a failure makes room as well
	begun[1]?.fail();
	expect(await first[1]).toBe('Error');
	const last = outcome('last');
	expect(begun.at(-1)?.name).toBe('last');
	for (const { end } of begun) end();
	expect(await Promise.all([next, last])).toEqual(['read', 'read']);
});

test('a reading that was given up counts until it is over, and one that never is for a minute', async () => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
	const { begun, outcome } = createSlow();
	const late = names.map(outcome);
	await vi.advanceTimersByTimeAsync(30_000);
	expect(new Set(await Promise.all(late))).toEqual(new Set(['DeadlineError']));
	expect(await outcome('another')).toBe('BusyError');
	begun[0]?.end();
	await vi.advanceTimersByTimeAsync(0);
	void outcome('another');
	expect([begun.length, await outcome('and another')]).toEqual([MOST_READINGS + 1, 'BusyError']);
	await vi.advanceTimersByTimeAsync(30_000);
	void outcome('after a minute');
	expect(begun.length).toBe(MOST_READINGS + 2);
});

/** Ends the turn of what was asked, then collects garbage. */
async function collectGarbage() {
	setFlagsFromString('--expose-gc');
	for (let i = 0; i < 3; i++) await new Promise(setImmediate);
	(runInNewContext('gc') as () => void)();
}

/** Asks within a request, and tells whether the request is still kept. */
async function askIn<T>(ask: () => Promise<T>) {
	const request = { made: new Array(1_000).fill('for it') };
	const promise = new AsyncLocalStorage<object>().run(request, ask);
	await promise;
	return { request: new WeakRef(request), promise };
}

test('what is no longer shared is forgotten, with the request in which it was asked for', async () => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
	onTestFinished(() => void vi.useRealTimers());
	let time = 0;
	const histories: WeakRef<History>[] = [];
	const { read } = createHistory({
		sql,
		log: pino({ level: 'silent' }),
		now: () => time,
		read: async () => {
			const one = answer();
			histories.push(new WeakRef(one));
			return Promise.resolve(one);
		},
	});
	const { request } = await askIn(() => read('90d', viewOf(), 'UTC').then(() => {}));
	await collectGarbage();
	expect(request.deref()).toBeUndefined();
	expect(histories[0]?.deref()).toBeDefined();
	time = 30_000;
	vi.advanceTimersByTime(30_000);
	await collectGarbage();
	expect(histories[0]?.deref()).toBeUndefined();
});

test('(control) a promise made in a request keeps it', async () => {
	const { request, promise } = await askIn(async () => Promise.resolve());
	await collectGarbage();
	expect(request.deref()).toBeDefined();
	expect(promise).toBeInstanceOf(Promise);
});
