/**
 * A client that means harm, at full speed, in a process of its own: it makes the attacks of attacks.ts, and holds thousands of heads that
 * never end. Told what to do by abuse.ts, ends with it, and counts what it has sent and was answered.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ATTACKS, HALF_OPEN, type AbuseOrder, type AbuseReport, type Attack } from './attacks';

const SILENT_MS = 5_000;
const HALF_OPEN_MS = 1_000;
/** Until an unawaited request has surely been read: a reset right after sending loses it. */
const READ_MS = 10;

let counted: AbuseReport = {};
let over = false;
const sockets = new Set<Socket>();

const of = (name: string) => (counted[name] ??= { sent: 0, answers: {} });
function answered(name: string, what: string) {
	const { answers } = of(name);
	answers[what] = (answers[what] ?? 0) + 1;
}

function open({ hostname: host, port }: URL): Socket {
	const socket = connect({ host, port: Number(port), noDelay: true });
	sockets.add(socket);
	socket.on('error', () => {});
	socket.on('close', () => sockets.delete(socket));
	return socket;
}

/** On one connection, until it is closed. */
function attack(url: URL, name: string, { waitsFor, together, toRequest }: Attack): Promise<void> {
	return new Promise((resolve) => {
		const socket = open(url);
		let owed = 0;
		const ask = () => {
			for (; owed < together; owed++) {
				of(name).sent++;
				socket.write(toRequest(url), 'latin1');
			}
			if (waitsFor === 'nothing') setTimeout(() => socket.resetAndDestroy(), READ_MS);
		};
		socket.setTimeout(SILENT_MS, () => socket.destroy());
		socket.on('connect', ask);
		socket.on('data', (bytes) => {
			for (const [, status] of bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
				answered(name, status as string);
				owed--;
			}
			if (owed === 0 && waitsFor === 'answers' && !over) ask();
		});
		socket.on('close', () => {
			if (waitsFor === 'answers' && !over) answered(name, 'closed');
			resolve();
		});
	});
}

/** Is opened, says a little, and waits. */
async function flood(url: URL, atOnce: number): Promise<void> {
	async function hold(i: number) {
		// one after the other, so that it never stops
		await pause((HALF_OPEN_MS * i) / atOnce);
		while (!over) {
			const socket = open(url);
			socket.on('connect', () => {
				of(HALF_OPEN).sent++;
				socket.write('GET / HTTP/1.1\r\nhost: x\r\na: ');
			});
			socket.on('end', () => answered(HALF_OPEN, 'closed'));
			socket.resume();
			await pause(HALF_OPEN_MS);
			socket.resetAndDestroy();
		}
	}
	await Promise.all(Array.from({ length: atOnce }, (_, i) => hold(i)));
}

function begin({ url: text, attacks, halfOpen }: Extract<AbuseOrder, { do: 'begin' }>) {
	const url = new URL(text);
	for (const name of attacks) {
		const one = ATTACKS[name];
		if (name === HALF_OPEN) void flood(url, halfOpen);
		else if (one)
			for (let i = 0; i < one.atOnce; i++)
				void (async () => {
					while (!over) await attack(url, name, one);
				})();
	}
}

process.on('message', (order: AbuseOrder) => {
	if (order.do === 'begin') return begin(order);
	if (order.do === 'end') {
		over = true;
		for (const socket of sockets) socket.resetAndDestroy();
	}
	process.send?.(counted);
	counted = {};
});
process.on('disconnect', () => process.exit());
