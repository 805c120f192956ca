import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createStreamEnd } from './stream-expiry';

const LIFE_MS = 200;

/** Collects garbage. */
function toCollect(): () => void {
	setFlagsFromString('--expose-gc');
	return runInNewContext('gc') as () => void;
}

function createViewer() {
	const ending = new AbortController();
	const leave = vi.fn();
	return { end: () => ending.abort(), following: { ended: ending.signal, leave }, leave };
}

test('it ends with its token, also when memory was tidied up before', async () => {
	const collect = toCollect();
	const { ended, leave } = createStreamEnd(createViewer().following, Date.now() + LIFE_MS);
	onTestFinished(leave);
	const onEnd = vi.fn();
	ended.addEventListener('abort', onEnd);
	await vi.waitFor(
		() => {
			collect();
			expect(onEnd).toHaveBeenCalledOnce();
		},
		{ timeout: 10 * LIFE_MS, interval: 20 },
	);
});

test('it ends with the viewer, who may have been ended before', () => {
	const { following, end } = createViewer();
	const ends = [null, Date.now() + 60_000];
	const before = ends.map((endsAt) => createStreamEnd(following, endsAt));
	expect(before.map(({ ended }) => ended.aborted)).toEqual([false, false]);
	end();
	const after = ends.map((endsAt) => createStreamEnd(following, endsAt));
	const all = [...before, ...after];
	expect(all.map(({ ended }) => ended.aborted)).toEqual([true, true, true, true]);
	for (const { leave } of all) leave();
});

test('who has left is held neither by the viewer nor by the time', () => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
	const { following, end, leave } = createViewer();
	const stream = createStreamEnd(following, Date.now() + 60_000);
	stream.leave();
	expect([vi.getTimerCount(), leave.mock.calls.length]).toEqual([0, 1]);
	end();
	expect(stream.ended.aborted).toBe(false);
});
