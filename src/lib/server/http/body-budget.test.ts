import { expect, test } from 'vitest';
import { createBodyBudget, type Hold } from './body-budget';

const KIB = 1024;

test('opening takes nothing, and a hold that is released twice is released once', () => {
	const bodies = createBodyBudget();
	const [first, second] = [bodies.open('a'), bodies.open('a')];
	expect([first.take(3), second.take(4), bodies.bytes()]).toEqual([true, true, 7]);
	first.release();
	first.release();
	expect(bodies.bytes()).toBe(4);
});

test('refuses a network over its limit, and no other', () => {
	const bodies = createBodyBudget({ totalBytes: 1_000, networkBytes: 100 });
	const first = bodies.open('a');
	expect([first.take(60), first.take(40), bodies.open('a').take(1)]).toEqual([true, true, false]);
	expect(bodies.open('b').take(100)).toBe(true);
	first.release();
	expect(bodies.open('a').take(100)).toBe(true);
});

test('refuses every network over the limit of all', () => {
	const bodies = createBodyBudget({ totalBytes: 100, networkBytes: 50 });
	expect(['a', 'b', 'c'].map((network) => bodies.open(network).take(50))).toEqual([
		true,
		true,
		false,
	]);
});

/** Random bodies of eight networks; resolves to the most that was held. */
function play(limits: { totalBytes: number; networkBytes: number }): number {
	let seed = 1;
	const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
	const bodies = createBodyBudget(limits);
	const open: Hold[] = [];
	let most = 0;
	for (let i = 0; i < 20_000; i++) {
		if (random(3) === 0) open.push(bodies.open(`n${random(8)}`));
		const at = random(Math.max(1, open.length));
		if (random(8) === 0) open.splice(at, 1)[0]?.release();
		else open[at]?.take(random(8 * KIB));
		most = Math.max(most, bodies.bytes());
	}
	for (const hold of open) hold.release();
	expect(bodies.bytes()).toBe(0);
	return most;
}

test('whatever comes and goes, the limits hold and at the end nothing is held', () => {
	const totalBytes = 256 * KIB;
	const most = play({ totalBytes, networkBytes: totalBytes / 4 });
	expect(most).toBeLessThanOrEqual(totalBytes);
	expect(most).toBeGreaterThan(totalBytes / 2);
});

test('(control) without limits more is held', () => {
	expect(play({ totalBytes: Infinity, networkBytes: Infinity })).toBeGreaterThan(256 * KIB);
});
