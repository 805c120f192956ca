import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../tests/setup/listen';
import { createHttpServer, MAX_PIPELINED } from './server';

const SERVER = new URL('./server.ts', import.meta.url).href;
const SETTINGS = `{ keepAliveMs: null, headersMs: null, shutdownMs: 30_000, idleMs: 0, listen: { host: '127.0.0.1', port: 0 } }`;

/** A process that runs this code; it ends with the test. */
function run(code: string): ChildProcess {
	const child = spawn(
		process.execPath,
		['--import', 'tsx', '--input-type=module', '--eval', code],
		{ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
	);
	const exited = once(child, 'exit');
	onTestFinished(async () => {
		child.kill('SIGKILL');
		await exited;
	});
	return child;
}

const serve = (handler: RequestListener) =>
	listen(createHttpServer(handler, { keepAliveMs: null, headersMs: null }));

function dial(port: number, text = '') {
	const socket: Socket = connect(port, '127.0.0.1');
	onTestFinished(() => void socket.destroy());
	let read = '';
	socket.on('data', (chunk: Buffer) => (read += chunk)).on('error', () => {});
	if (text) socket.write(text);
	return { socket, read: () => read };
}
const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

/** Opens connections to a process that is busy for good, so all of them stay in the kernel's queue. */
async function knock(code: string, connections: number): Promise<() => number> {
	const child = run(`${code}
		const beBusy = () => { for (;;); };
		server.once('listening', () => process.send(server.address().port, beBusy));`);
	const [port] = (await once(child, 'message')) as [number];
	let connected = 0;
	for (let i = 0; i < connections; i++) dial(port).socket.on('connect', () => connected++);
	return () => connected;
}
const OURS = `import { startServer } from '${SERVER}'; const server = startServer(() => {}, ${SETTINGS});`;
const NODES = `import { createServer } from 'node:http'; const server = createServer().listen(0, '127.0.0.1');`;

test.runIf(process.platform === 'linux')(
	'1,500 connections wait in the kernel while the process is busy',
	async () => {
		const connected = await knock(OURS, 1_500);
		await expect.poll(connected, { timeout: 60_000 }).toBe(1_500);
	},
);

test.runIf(process.platform === 'linux')(
	'(control) with the backlog that Node asks for, most of them do not connect',
	async () => {
		const connected = await knock(NODES, 1_500);
		await expect.poll(connected, { timeout: 60_000 }).toBeGreaterThan(400);
		await pause(1_000);
		expect(connected()).toBeLessThan(750);
	},
);

test('answers up to 4 pipelined requests', async () => {
	const port = await serve((_, response) => setImmediate(() => response.end('ok')));
	const { read } = dial(port, GET.repeat(MAX_PIPELINED));
	await expect.poll(() => read().split('HTTP/1.1 200').length - 1).toBe(MAX_PIPELINED);
});

test('answers any number of requests one after the other', async () => {
	const port = await serve((_, response) => setImmediate(() => response.end('ok')));
	const { socket, read } = dial(port);
	for (let i = 1; i <= 3 * MAX_PIPELINED; i++) {
		socket.write(GET);
		await expect.poll(() => read().split('HTTP/1.1 200').length - 1, { interval: 1 }).toBe(i);
	}
});

test('closes a connection with more than 4 pipelined requests', async () => {
	let begun = 0;
	const port = await serve((_, response) => {
		begun++;
		setImmediate(() => response.end('ok'));
	});
	const { socket, read } = dial(port, GET.repeat(50));
	await once(socket, 'close');
	expect(begun).toBe(MAX_PIPELINED);
	expect(read()).toBe('');
});

test('malformed requests get a status and are closed; half a head that ends gets nothing', async () => {
	const port = await serve(() => {});
	const ask = async (text: string, end = false) => {
		const { socket, read } = dial(port, text);
		if (end) socket.end();
		await once(socket, 'close');
		return read().split('\r\n')[0];
	};
	const half = 'GET / HTTP/1.1\r\nHost: x\r\na: ';
	expect(await ask('BREW /pot HTCPCP/1.0\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request');
	expect(await ask(half + 'b'.repeat(20_000))).toBe('HTTP/1.1 431 Request Header Fields Too Large');
	expect(await ask(half, true)).toBe('');
});

test.each(['http://evil.example/', 'http://x/', '*', 'x', 'x:1'])(
	'answers 400 to the target %s, and the handler never sees it',
	async (target) => {
		const seen: (string | undefined)[] = [];
		const port = await serve((request, response) => {
			seen.push(request.url);
			response.end();
		});
		const odd = dial(port, `OPTIONS ${target} HTTP/1.1\r\nhost: x\r\n\r\n`);
		await expect.poll(odd.read).toMatch(/^HTTP\/1\.1 400 /);
		const plain = dial(port, 'OPTIONS /?to=http://x/ HTTP/1.1\r\nhost: x\r\n\r\n');
		await expect.poll(plain.read).toMatch(/^HTTP\/1\.1 200 /);
		expect(seen).toEqual(['/?to=http://x/']);
	},
);

test('no error is written into a response that has begun', async () => {
	const handler: RequestListener = (_, response) => void response.write('begun');
	const port = await serve(handler);
	const { socket, read } = dial(port, GET);
	await expect.poll(read).toContain('begun');
	socket.write('this is not HTTP\r\n\r\n');
	await once(socket, 'close');
	expect(read().split('HTTP/1.1').length - 1).toBe(1);
});

test('on SIGTERM an idle connection is closed, a request is still answered, and the runtime is told last', async () => {
	const child = run(`
		import { startServer } from '${SERVER}';
		const server = startServer((request, response) => {
			if (request.url === '/idle') return response.end('at once');
			response.write('begun');
			process.once('message', () => response.end('ended'));
		}, ${SETTINGS});
		process.once('sveltekit:shutdown', (reason) => { process.send({ reason }); process.disconnect(); });
		server.once('listening', () => process.send(server.address().port));`);
	const [port] = (await once(child, 'message')) as [number];
	const idle = dial(port, GET.replace('/ ', '/idle '));
	await expect.poll(idle.read).toContain('at once');
	const { socket, read } = dial(port, GET);
	await expect.poll(read).toContain('begun');
	const said: unknown[] = [];
	child.on('message', (message) => said.push(message));
	const exited = once(child, 'exit');
	child.kill('SIGTERM');
	await once(idle.socket, 'close');
	expect([read().includes('ended'), said]).toEqual([false, []]);
	child.send('end');
	await once(socket, 'close');
	expect(read()).toContain('ended');
	expect(await exited).toEqual([0, null]);
	expect(said).toEqual([{ reason: 'SIGTERM' }]);
});

test('a port that is taken is named, and ends the process', async () => {
	const port = await listen(createServer());
	const child = spawn(
		process.execPath,
		['--import', 'tsx', '--input-type=module', '--eval'].concat(
			`import { startServer } from '${SERVER}'; startServer(() => {}, { ...${SETTINGS}, listen: { host: '127.0.0.1', port: ${port} } });`,
		),
		{ stdio: ['ignore', 'ignore', 'pipe'] },
	);
	let said = '';
	child.stderr.on('data', (chunk: Buffer) => (said += chunk));
	expect(await once(child, 'exit')).toEqual([1, null]);
	expect(said).toBe(
		`Cannot listen on http://127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
	);
});
