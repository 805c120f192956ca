import { expect, test } from 'vitest';
import { createBatchedLookup, type LookupBounds } from './batch-loader';
import { UnavailableError } from './errors';

const BOUNDS: LookupBounds = { asked: 5, perQuery: 3, waitMs: 0, retryPauseMs: 0 };

/** A lookup whose queries the test answers one by one, in order. */
function start(bounds: Partial<LookupBounds> = {}) {
	const queries: { keys: string[]; answer: (answers: Record<string, number> | null) => void }[] =
		[];
	const time = { now: 0 };
	const lookup = createBatchedLookup<number>({
		noun: 'key',
		bounds: { ...BOUNDS, ...bounds },
		now: () => time.now,
		read: (keys) =>
			new Promise((resolve) =>
				queries.push({
					keys: [...keys],
					answer: (answers) => resolve(answers && new Map(Object.entries(answers))),
				}),
			),
	});
	const query = async (n: number) => {
		await expect.poll(() => queries.length).toBe(n);
		return queries[n - 1]!;
	};
	return { lookup, queries, query, time };
}

test('questions of one turn share a query; the same key is asked once', async () => {
	const { lookup, query } = start();
	const answers = Promise.all(['a', 'b', 'a'].map((key) => lookup.ask(key)));
	const first = await query(1);
	expect(first.keys).toEqual(['a', 'b']);
	first.answer({ a: 1 });
	expect(await answers).toEqual([1, null, 1]);
});

test('there is one query at a time, with at most perQuery keys', async () => {
	const { lookup, queries, query } = start({ perQuery: 2 });
	const answers = Promise.all(['a', 'b', 'c'].map((key) => lookup.ask(key)));
	const first = await query(1);
	const late = lookup.ask('d');
	expect(queries.map(({ keys }) => keys)).toEqual([['a', 'b']]);
	first.answer({});
	const second = await query(2);
	expect(second.keys).toEqual(['c', 'd']);
	second.answer({ d: 4 });
	expect([await answers, await late]).toEqual([[null, null, null], 4]);
});

test('no more keys wait than the bound; the refused one may ask again later', async () => {
	const { lookup, query } = start({ asked: 2 });
	const waiting = Promise.all([lookup.ask('a'), lookup.ask('b')]);
	await expect(lookup.ask('c')).rejects.toThrow('2 keys are waiting to be checked');
	(await query(1)).answer({});
	await waiting;
	const again = lookup.ask('c');
	(await query(2)).answer({ c: 3 });
	expect(await again).toBe(3);
});

test('a query that failed is tried again until a question has waited for waitMs', async () => {
	const { lookup, query, time } = start({ waitMs: 100 });
	const old = lookup.ask('old');
	const failed = expect(old).rejects.toThrow(UnavailableError);
	(await query(1)).answer(null);
	const second = await query(2);
	expect(second.keys).toEqual(['old']);
	time.now = 60;
	const young = lookup.ask('young');
	time.now = 120;
	second.answer(null);
	await failed;
	const third = await query(3);
	expect(third.keys).toEqual(['young']);
	third.answer({ young: 1 });
	expect(await young).toBe(1);
});

test('close waits for the running query, gives up what has no answer, and takes no more', async () => {
	const { lookup, query } = start({ waitMs: 1_000_000 });
	const asked = expect(lookup.ask('a')).rejects.toThrow('no answer about this key');
	const running = await query(1);
	const closed = lookup.close();
	await expect(lookup.ask('b')).rejects.toThrow('shutting down');
	running.answer(null);
	await Promise.all([asked, closed, lookup.close()]);
});
