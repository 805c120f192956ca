import { expect, onTestFinished, test } from 'vitest';
import { startRepeating } from './repeat';

test('it goes on after an error, which is told, and never runs twice at once', async () => {
	const errors: unknown[] = [];
	let runs = 0;
	let atOnce = 0;
	const repeating = startRepeating({
		everyMs: 1,
		async run() {
			expect(++atOnce).toBe(1);
			await new Promise((resolve) => setTimeout(resolve, 5));
			atOnce--;
			if (++runs === 2) throw new Error('second');
		},
		onError: (error) => errors.push(String(error)),
	});
	onTestFinished(() => repeating.stop());
	await expect.poll(() => runs).toBeGreaterThan(3);
	expect(errors).toEqual(['Error: second']);
});

test('stopped, it ends what runs, tells no error of that, and begins nothing more', async () => {
	const errors: unknown[] = [];
	let runs = 0;
	const repeating = startRepeating({
		everyMs: 1,
		run: (signal) =>
			new Promise((_, reject) => {
				runs++;
				signal.addEventListener('abort', () => reject(new Error('aborted')));
			}),
		onError: (error) => errors.push(error),
	});
	await expect.poll(() => runs).toBe(1);
	await repeating.stop();
	await repeating.stop();
	await new Promise((resolve) => setTimeout(resolve, 20));
	expect([runs, errors]).toEqual([1, []]);
});
