/**
 * Connections that are opened and never come to the point: half a head, half a body, a letter now and then, or not a word. They are held
 * until they are ended, and opened again when the server ends them.
 */
import { connect, type Socket } from 'node:net';

const BEGINNINGS = [
	'',
	'G',
	'GET / HTTP/1.1\r\nhost: x\r\na: ',
	'POST /login HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 400000\r\n\r\npassword=',
	'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 400000\r\n\r\n[',
	'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5',
];
const LETTER_MS = 10_000;
const AGAIN_MS = 1_000;

export type Lurkers = {
	/** connections that were opened, and how many the server has ended */
	counts(): { opened: number; ended: number };
	stop(): void;
};

/** @param url origin of the server */
export function lurk(url: string, atOnce: number): Lurkers {
	const { hostname: host, port } = new URL(url);
	const sockets = new Set<Socket>();
	let [opened, ended, stopped] = [0, 0, false];

	function open(beginning: string) {
		if (stopped) return;
		const socket = connect({ host, port: Number(port) });
		sockets.add(socket);
		opened++;
		socket.on('connect', () => socket.write(beginning.replace('{origin}', url)));
		socket.on('error', () => {});
		socket.resume();
		socket.on('close', () => {
			sockets.delete(socket);
			ended++;
			setTimeout(open, AGAIN_MS, beginning).unref();
		});
	}
	for (let i = 0; i < atOnce; i++) open(BEGINNINGS[i % BEGINNINGS.length] as string);
	const timer = setInterval(() => {
		for (const socket of sockets) if (socket.bytesWritten > 1) socket.write('a');
	}, LETTER_MS);
	return {
		counts: () => ({ opened, ended }),
		stop() {
			stopped = true;
			clearInterval(timer);
			for (const socket of sockets) socket.resetAndDestroy();
		},
	};
}
