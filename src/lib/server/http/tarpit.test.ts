import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createTarpit } from './tarpit';

async function time(what: Promise<unknown>) {
	const started = performance.now();
	await what;
	return performance.now() - started;
}

test('who is refused often waits, before anything is looked up and for the next refusal; others do not', async () => {
	const tarpit = createTarpit({ free: 3, lateMs: 100 });
	for (let i = 0; i < 3; i++) {
		expect(await tarpit.enter('one')).toBe(false);
		expect(await time(tarpit.refuse('one', false))).toBeLessThan(45);
	}
	expect(await time(tarpit.refuse('one', false))).toBeGreaterThan(90);
	expect(await time(tarpit.enter('one'))).toBeGreaterThan(90);
	expect(await tarpit.enter('one')).toBe(true);
	expect(await tarpit.enter('another')).toBe(false);
	expect(await time(tarpit.refuse('another', false))).toBeLessThan(45);
});

test('who is gone is not waited for', async () => {
	const tarpit = createTarpit({ free: 1, lateMs: 10_000 });
	await tarpit.refuse('one', false);
	const socket = new Socket();
	const entered = tarpit.enter('one', socket);
	socket.destroy();
	expect(await entered).toBe(true);
	expect(await tarpit.enter('one', socket)).toBe(true);
});

test('who has waited does not wait again, but counts', async () => {
	const tarpit = createTarpit({ free: 1, lateMs: 100 });
	for (let i = 0; i < 3; i++) expect(await time(tarpit.refuse('one', true))).toBeLessThan(45);
	expect(await tarpit.enter('one')).toBe(true);
});
