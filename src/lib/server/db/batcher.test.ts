import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createRounds } from './batcher';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

/** Rounds that take so long, and when each began, in ms, with whom. */
function record(tookMs: number, maxSize = 100) {
	const began: [number, string][] = [];
	const start = performance.now();
	const rounds = createRounds<string>({
		async run(all) {
			began.push([performance.now() - start, all.join(' ')]);
			await new Promise((resolve) => setTimeout(resolve, tookMs));
			if (all.includes('fails')) throw new Error('no');
		},
		toSize: (one) => one.length,
		maxSize,
	});
	return { ...rounds, began };
}

test('who comes while a round runs shares the next one, equal ones as one', async () => {
	const { join, began } = record(10);
	const first = [join('a', 'a'), join('b', 'b'), join('a', 'a')];
	await vi.advanceTimersByTimeAsync(5);
	const second = [join('c', 'c'), join('d', 'd')];
	await vi.advanceTimersByTimeAsync(100);
	await Promise.all([...first, ...second]);
	expect(began.map(([, all]) => all)).toEqual(['a b', 'c d']);
});

test('a caller that asks all the time gets half of the time', async () => {
	const { join, began } = record(200);
	let asked = 0;
	const asking = setInterval(() => void join(`${asked}`, `${asked++}`), 50);
	await vi.advanceTimersByTimeAsync(4_000);
	clearInterval(asking);
	await vi.advanceTimersByTimeAsync(4_000);
	expect(asked).toBeGreaterThan(70);
	// 200 ms each, and 200 ms between them
	expect(began.length).toBeLessThanOrEqual(11);
	const gaps = began.slice(1).map(([at], i) => at - (began[i]?.[0] ?? 0));
	expect(gaps.every((gap) => gap >= 400 && gap < 420)).toBe(true);
});

test('control: rounds that follow each other without a rest take all of it', async () => {
	let last: Promise<unknown> = Promise.resolve();
	let busyMs = 0;
	const asking = setInterval(() => {
		last = last.then(async () => {
			await new Promise((resolve) => setTimeout(resolve, 200));
			busyMs += 200;
		});
	}, 50);
	await vi.advanceTimersByTimeAsync(4_000);
	clearInterval(asking);
	expect(busyMs).toBeGreaterThanOrEqual(3_600);
});

test('the first after a rest begins at once, and no rest is longer than a second', async () => {
	const { join, began } = record(5_000);
	void join('a', 'a');
	await vi.advanceTimersByTimeAsync(5_500);
	void join('b', 'b');
	await vi.advanceTimersByTimeAsync(60_000);
	void join('c', 'c');
	await vi.advanceTimersByTimeAsync(10_000);
	expect(began.map(([at, all]) => [Math.round(at / 100) / 10, all])).toEqual([
		[0, 'a'],
		[6, 'b'],
		[65.5, 'c'],
	]);
});

test('a round that fails, fails for its own; the next one runs', async () => {
	const { join, current, began } = record(10);
	const failing = join('fails', 'fails').catch(String);
	await vi.advanceTimersByTimeAsync(5);
	const over = current().then(() => 'over');
	const next = join('a', 'a').then(() => 'done');
	await vi.advanceTimersByTimeAsync(100);
	expect(await Promise.all([failing, over, next])).toEqual(['Error: no', 'over', 'done']);
	expect(began.map(([, all]) => all)).toEqual(['fails', 'a']);
});

test('a round takes along what fits, in order; one that is too large goes alone', async () => {
	const { join, began } = record(1, 4);
	for (const one of ['aa', 'bb', 'c', 'dddddd', 'e', 'bb']) void join(one, one);
	await vi.advanceTimersByTimeAsync(100);
	expect(began.map(([, all]) => all)).toEqual(['aa bb', 'c', 'dddddd', 'e bb']);
});
