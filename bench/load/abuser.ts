/**
 * A client that means harm, at full speed, in a process of its own: wrong keys, guessed passwords, huge bodies, connections that are opened and
 * closed, and heads that never end. Told when to begin by abuse.ts, ends with it, and counts what it was answered.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const HUGE = 'a'.repeat(500_000);
const WAIT_MS = 2_000;

const answers: Record<string, number> = {};
const count = (what: string) => (answers[what] = (answers[what] ?? 0) + 1);
let over = false;

/** one request after the other on a connection, which is opened anew when it is closed */
async function hammer(url: URL, kind: string, toRequest: () => string): Promise<void> {
	while (!over)
		await new Promise<void>((resolve) => {
			const socket = connect({ host: url.hostname, port: Number(url.port) });
			socket.setTimeout(WAIT_MS, () => socket.destroy());
			socket.on('connect', () => socket.write(toRequest()));
			socket.on('data', (bytes) => {
				const status = /^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1', 0, 20))?.[1];
				if (status === undefined) return;
				count(`${kind}: ${status}`);
				if (over) socket.destroy();
				else socket.write(toRequest());
			});
			socket.on('error', () => {});
			socket.on('close', () => {
				count(`${kind}: closed`);
				resolve();
			});
		});
}

/** connections that say a little and wait */
async function flood(url: URL, atOnce: number): Promise<void> {
	while (!over) {
		const sockets: Socket[] = [];
		for (let i = 0; i < atOnce; i++) {
			const socket = connect({ host: url.hostname, port: Number(url.port) });
			socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\na: '));
			socket.on('error', () => {});
			sockets.push(socket);
			count('half a head');
		}
		await pause(1_000);
		for (const socket of sockets) socket.resetAndDestroy();
	}
}

function start(url: URL) {
	const post = (path: string, body: string, headers = '') =>
		`POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;
	const json = 'content-type: application/json\r\n';
	const key = () => `authorization: Bearer nb_sec_${Math.random().toString(36).repeat(3)}\r\n`;
	const form = `content-type: application/x-www-form-urlencoded\r\norigin: ${url.origin}\r\n`;
	const event = '{"name":"abuse"}';
	const many = (n: number, run: () => Promise<void>) => Array.from({ length: n }, run);
	void Promise.all([
		...many(8, () => hammer(url, 'wrong key', () => post('/api/events', event, json + key()))),
		...many(2, () => hammer(url, 'no key', () => post('/api/events', event, json))),
		...many(4, () => hammer(url, 'huge body', () => post('/api/events', HUGE, json + key()))),
		...many(2, () => hammer(url, 'password', () => post('/login', 'password=guess', form))),
		...many(2, () =>
			hammer(
				url,
				'forged cookie',
				() =>
					`GET /settings HTTP/1.1\r\nhost: ${url.host}\r\ncookie: nowboard_viewer=${Math.random()}\r\n\r\n`,
			),
		),
		flood(url, 200),
	]);
}

process.on('message', (message: { url: string } | 'report') => {
	if (message === 'report') {
		over = true;
		process.send?.(answers);
	} else start(new URL(message.url));
});
process.on('disconnect', () => process.exit());
