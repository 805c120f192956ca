import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createTarpit } from './tarpit';

/** Whether it waits: a delay of an hour never ends within a test. */
async function isHeld(what: Promise<unknown>): Promise<boolean> {
	const turn = new Promise((resolve) => setTimeout(resolve, 20, 'held'));
	return (await Promise.race([what.then(() => 'passes'), turn])) === 'held';
}
const HOUR_MS = 3_600_000;

test('holds unknown clients of a network after its free refusals, and of no other', async () => {
	const tarpit = createTarpit({ free: 3, delayMs: HOUR_MS });
	for (let i = 0; i < 3; i++) {
		expect(await isHeld(tarpit.wait('one'))).toBe(false);
		tarpit.refused('one');
	}
	expect(await isHeld(tarpit.wait('one'))).toBe(true);
	expect(await isHeld(tarpit.wait('another'))).toBe(false);
});

test('a held client passes after the delay', async () => {
	const tarpit = createTarpit({ free: 1, delayMs: 10 });
	tarpit.refused('one');
	await tarpit.wait('one');
});

test('does not wait for a client that has gone', async () => {
	const tarpit = createTarpit({ free: 1, delayMs: HOUR_MS });
	tarpit.refused('one');
	const socket = new Socket();
	const waiting = tarpit.wait('one', socket);
	expect(await isHeld(waiting)).toBe(true);
	socket.destroy();
	await waiting;
	await tarpit.wait('one', socket);
});
