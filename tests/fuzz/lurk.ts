/**
 * Connections that are opened and never come to the point: half a head, half a body, a letter a second, or not a word. They are held
 * until they are ended, and opened again when the server ends them.
 */
import { connect, type Socket } from 'node:net';

type Part = 'head' | 'body';
const BEGINNINGS: [of: Part, text: string][] = [
	['head', ''],
	['head', 'G'],
	['head', 'GET / HTTP/1.1\r\nhost: x\r\na: '],
	[
		'body',
		'POST /login HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 400000\r\n\r\npassword=',
	],
	[
		'body',
		'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 400000\r\n\r\n[',
	],
	[
		'body',
		'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5',
	],
];
const LETTER_MS = 1_000;
const AGAIN_MS = 1_000;

export type Lurked = {
	/** connections */
	opened: number;
	/** by the server, of those that said half a head or nothing, and half a body */
	headsEnded: number;
	bodiesEnded: number;
	/** how long one lived at most, ms; those that are open still count with their age */
	oldestMs: Record<Part, number>;
};
export type Lurkers = { counts(): Lurked; stop(): void };

/** @param url origin of the server */
export function lurk(url: string, atOnce: number): Lurkers {
	const { hostname: host, port } = new URL(url);
	/** and when it was connected; null: not yet */
	const sockets = new Map<Socket, { of: Part; since: number | null }>();
	const ended = { head: 0, body: 0 };
	const oldest = { head: 0, body: 0 };
	let [opened, stopped] = [0, false];

	const age = (of: Part, since: number | null) => {
		if (since !== null) oldest[of] = Math.max(oldest[of], performance.now() - since);
	};
	function open([of, text]: (typeof BEGINNINGS)[number]) {
		if (stopped) return;
		const socket = connect({ host, port: Number(port) });
		const one = { of, since: null as number | null };
		sockets.set(socket, one);
		socket.on('connect', () => {
			opened++;
			one.since = performance.now();
			socket.write(text.replace('{origin}', url));
		});
		socket.on('error', () => {});
		socket.resume();
		socket.on('close', () => {
			sockets.delete(socket);
			if (stopped) return;
			age(of, one.since);
			if (one.since !== null) ended[of]++;
			setTimeout(open, AGAIN_MS, [of, text]).unref();
		});
	}
	for (let i = 0; i < atOnce; i++)
		open(BEGINNINGS[i % BEGINNINGS.length] as (typeof BEGINNINGS)[number]);
	const timer = setInterval(() => {
		for (const socket of sockets.keys()) if (socket.bytesWritten > 1) socket.write('a');
	}, LETTER_MS);
	return {
		counts() {
			for (const { of, since } of sockets.values()) age(of, since);
			return {
				opened,
				headsEnded: ended.head,
				bodiesEnded: ended.body,
				oldestMs: { ...oldest },
			};
		},
		stop() {
			stopped = true;
			clearInterval(timer);
			for (const socket of sockets.keys()) socket.resetAndDestroy();
		},
	};
}
