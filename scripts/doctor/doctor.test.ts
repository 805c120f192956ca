/** What is decided without a deployment; the faults themselves are planted in tests/system/doctor-*.system.ts. */
import { expect, test } from 'vitest';
import { compareClocks, readClock } from './clocks';
import { toText, unseen, well, wrong } from './finding';

const clock = (aheadMs: number, errorMs = 10) => ({ aheadMs, errorMs });

test('each line says what was looked at, and what is wrong says how to mend it', () => {
	const text = toText([
		well('HTTP/2', 'it is there'),
		wrong('origin', 'it is another', 'Set it.'),
		unseen('login', 'not needed'),
	]);
	expect(text.split('\n')).toEqual([
		'well   HTTP/2  it is there',
		'WRONG  origin  it is another',
		'               → Set it.',
		'–      login   not needed',
		'',
		'1 well, 1 wrong, 1 not looked at',
	]);
});

test('the quickest answer tells another clock’s time', async () => {
	let now = 0;
	const delays = [400, 20, 300, 500, 600];
	const read = await readClock(
		async () => {
			const delay = delays.shift() ?? 0;
			now += delay;
			// it answers when the question arrives, long before its answer does
			return now - delay + 1_000;
		},
		() => now,
	);
	expect(read).toEqual({ aheadMs: 990, errorMs: 10 });
});

test('of three clocks the odd one is named', () => {
	const says = (database: number, server: number) => {
		const found = compareClocks({ database: clock(database), server: clock(server) });
		return found.is === 'wrong' ? found.mend.slice(0, 28) : found.is;
	};
	expect(says(500, -900)).toBe('well');
	expect(says(5_000, 5_100)).toBe('Set the clock here right: NT');
	expect(says(5_000, 0)).toBe('Set the database’s clock rig');
	expect(says(0, -5_000)).toBe('Set the server’s clock right');
});

test('what a slow answer may hide is not called wrong, and nothing to compare with is said', () => {
	expect(compareClocks({ database: clock(3_000, 1_500), server: null }).is).toBe('well');
	// control
	expect(compareClocks({ database: clock(3_000, 100), server: null }).is).toBe('wrong');
	expect(compareClocks({ database: null, server: null }).is).toBe('unseen');
});
