import { expect, test } from 'vitest';
import { createBodyBudget, type HeldBody } from './body-budget';

const KIB = 1024;
const piece = (bytes: number) => new Uint8Array(bytes).fill(7);
const size = (body: HeldBody) => body.bytes()?.length ?? null;

test('a body is what came, however it was cut', () => {
	const bodies = createBodyBudget();
	const text = 'One event, or an array of them.'.repeat(1_000);
	for (const step of [1, 7, 4_096, 100_000]) {
		const body = bodies.open('a', text.length);
		const bytes = Buffer.from(text);
		for (let at = 0; at < bytes.length; at += step) body.add(bytes.subarray(at, at + step));
		expect(Buffer.from(body.bytes() ?? []).toString()).toBe(text);
		body.release();
	}
	expect(bodies.bytes()).toBe(0);
});

test('pieces of one byte take at most twice their bytes; (control) in a list they take a hundred times as much', () => {
	const bodies = createBodyBudget();
	const body = bodies.open('a', 512 * KIB);
	const pieces: Uint8Array[] = [];
	const before = process.memoryUsage().heapUsed;
	// each has an ArrayBuffer of its own, as those have that Node makes of chunks
	for (let i = 0; i < 200 * KIB; i++) pieces.push(Buffer.allocUnsafeSlow(1));
	expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(100 * 200 * KIB);
	for (const one of pieces) body.add(one);
	expect(size(body)).toBe(200 * KIB);
	expect(bodies.bytes()).toBeLessThanOrEqual(2 * 200 * KIB);
});

test('a promise takes nothing, and one byte a little', () => {
	const bodies = createBodyBudget();
	const open = Array.from({ length: 600 }, () => bodies.open('a', 512 * KIB));
	expect(bodies.bytes()).toBe(0);
	for (const body of open) body.add(piece(1));
	expect(bodies.bytes()).toBe(600 * 4 * KIB);
	for (const body of open) body.release();
	expect(bodies.bytes()).toBe(0);
});

test('drops the oldest body of a network over its limit, and none of another', () => {
	const bodies = createBodyBudget({ totalBytes: 1_000 * KIB, networkBytes: 100 * KIB });
	const other = bodies.open('b', 512 * KIB);
	other.add(piece(90 * KIB));
	const [first, second, third] = [1, 2, 3].map(() => bodies.open('a', 512 * KIB)) as [
		HeldBody,
		HeldBody,
		HeldBody,
	];
	// in the order of their first bytes
	second.add(piece(40 * KIB));
	first.add(piece(40 * KIB));
	third.add(piece(30 * KIB));
	expect([first, second, third, other].map(size)).toEqual([40 * KIB, null, 30 * KIB, 90 * KIB]);
	// itself, when that is it
	first.add(piece(10 * KIB));
	expect([first, third].map(size)).toEqual([null, 30 * KIB]);
	first.add(piece(1));
	expect([size(first), bodies.bytes()]).toEqual([null, 120 * KIB]);
});

test('drops the oldest body of all networks over the total limit', () => {
	const bodies = createBodyBudget({ totalBytes: 100 * KIB, networkBytes: 50 * KIB });
	const held = ['a', 'b', 'c', 'd'].map((network) => {
		const body = bodies.open(network, 512 * KIB);
		body.add(piece(30 * KIB));
		return body;
	});
	expect(held.map(size)).toEqual([null, 30 * KIB, 30 * KIB, 30 * KIB]);
});

test('whatever comes and goes, the limits hold and at the end nothing is held; (control) without limits they do not', () => {
	let seed = 1;
	const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
	function play(limits: { totalBytes: number; networkBytes: number }) {
		const bodies = createBodyBudget(limits);
		const open: { body: HeldBody; left: number }[] = [];
		let most = 0;
		for (let i = 0; i < 20_000; i++) {
			if (random(3) === 0)
				open.push({ body: bodies.open(`n${random(8)}`, 16 * KIB), left: 16 * KIB });
			const at = random(Math.max(1, open.length));
			const one = open[at];
			if (one && random(4) === 0) open.splice(at, 1)[0]?.body.release();
			else if (one) {
				const bytes = Math.min(one.left, random(8 * KIB));
				one.left -= bytes;
				one.body.add(piece(bytes));
			}
			most = Math.max(most, bodies.bytes());
		}
		for (const { body } of open) {
			body.release();
			body.release();
		}
		expect(bodies.bytes()).toBe(0);
		return most;
	}
	const totalBytes = 256 * KIB;
	const most = play({ totalBytes, networkBytes: totalBytes / 4 });
	expect(most).toBeLessThanOrEqual(totalBytes);
	expect(most).toBeGreaterThan(totalBytes / 2);
	expect(play({ totalBytes: Infinity, networkBytes: Infinity })).toBeGreaterThan(totalBytes);
});
