import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';

const CONNECTIONS = 1_500;
const QUEUE = new URL('./listen-backlog.ts', import.meta.url).href;

/** A server that listens and then is busy: what connects meanwhile waits in the kernel. */
const busyServer = (widened: boolean) => `
	import { createServer } from 'node:net';
	${widened ? `import { widenAcceptQueue } from '${QUEUE}'; widenAcceptQueue();` : ''}
	const server = createServer();
	server.listen({ port: 0, host: '127.0.0.1' }, () => {
		process.send(server.address().port);
		setTimeout(() => { for (const end = Date.now() + 10_000; Date.now() < end; ); }, 50);
	});`;

async function countConnected(widened: boolean): Promise<number> {
	const server = spawn(
		process.execPath,
		['--import', 'tsx', '--input-type=module', '--eval', busyServer(widened)],
		{ stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
	);
	const sockets: Socket[] = [];
	const exited = once(server, 'exit');
	onTestFinished(async () => {
		for (const socket of sockets) socket.destroy();
		server.kill('SIGKILL');
		await exited;
	});
	const [port] = (await once(server, 'message')) as [number];
	await pause(200);
	let connected = 0;
	for (let i = 0; i < CONNECTIONS; i++) {
		const socket = connect({ port, host: '127.0.0.1' });
		socket.on('connect', () => connected++);
		socket.on('error', () => {});
		sockets.push(socket);
	}
	// before the first ones that were dropped ask again
	await pause(700);
	return connected;
}

test.runIf(process.platform === 'linux')(
	'a crowd that comes while the process is busy waits in the kernel; as Node asks for it, most are dropped',
	async () => {
		expect(await countConnected(true)).toBe(CONNECTIONS);
		expect(await countConnected(false)).toBeLessThan(CONNECTIONS / 2);
	},
);

test('what says its own backlog, or names no port, is left alone', async () => {
	const { widenAcceptQueue, ACCEPT_QUEUE } = await import('./listen-backlog');
	const asked: unknown[][] = [];
	const prototype = { listen: (...given: unknown[]) => void asked.push(given) };
	const takeBack = widenAcceptQueue(() => {}, prototype as never);
	prototype.listen({ port: 1, host: 'here' });
	prototype.listen({ port: 1, backlog: 5 });
	prototype.listen({ fd: 3 });
	prototype.listen(1, 'here');
	takeBack();
	prototype.listen({ port: 2 });
	expect(asked).toEqual([
		[{ port: 1, host: 'here', backlog: ACCEPT_QUEUE }],
		[{ port: 1, backlog: 5 }],
		[{ fd: 3 }],
		[1, 'here'],
		[{ port: 2 }],
	]);
});
