import { createServer, request as send } from 'node:http';
import { connect } from 'node:net';
import { getRequest } from '@sveltejs/kit/node';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../tests/setup/listen';
import { createBodyBudget } from './body-budget';
import { MAX_PIECES, PIECE_BYTES, readBody, type Body } from './read-body';

const KIB = 1024;
const MAX_BYTES = 512 * KIB;
/** A condition that a slow machine meets late. */
const PATIENCE = { timeout: 60_000 };

/** A body that arrives when `put` is called, as far as it is read. */
function stall() {
	let control: ReadableStreamDefaultController<Uint8Array> | undefined;
	const body = new ReadableStream<Uint8Array>({ start: (given) => void (control = given) });
	return {
		body,
		put: (bytes: number) => control?.enqueue(new Uint8Array(bytes)),
		end: () => control?.close(),
		fail: (error: Error) => control?.error(error),
	};
}
const told = (read: Body) => (read.ok ? read.bytes.length : read.status);
const soon = () => new Promise((resolve) => setTimeout(resolve, 100));

/** Requests through the adapter's own conversion, each handed to `use`; resolves to a port. */
async function serve(use: (request: Request) => Promise<unknown>): Promise<number> {
	const server = createServer((req, res) => {
		void getRequest({ request: req, base: 'http://localhost', bodySizeLimit: Infinity })
			.then(use)
			.then(() => res.end());
	});
	return listen(server);
}

test('a body that stalls is given up in time and holds nothing', async () => {
	const bodies = createBodyBudget({ waitMs: 50 });
	const stalled = stall();
	const read = readBody(stalled, { maxBytes: MAX_BYTES, bodies, network: 'a' });
	stalled.put(10);
	await expect.poll(() => bodies.bytes(), { interval: 1 }).toBeGreaterThan(0);
	expect(await read).toEqual({
		ok: false,
		status: 408,
		error: 'The body was not complete 0.05 s after it began. Send less at once, or send it faster.',
		rule: 'must be complete within 0.05 s',
	});
	expect(bodies.bytes()).toBe(0);
});

test('(control) read as it comes, a body that stalls is waited for', async () => {
	const naive = stall();
	let isRead = false;
	void new Response(naive.body).arrayBuffer().then(() => (isRead = true));
	await soon();
	expect(isRead).toBe(false);
	naive.end();
	await expect.poll(() => isRead).toBe(true);
});

test('letter by letter is no way to be waited for longer', async () => {
	const bodies = createBodyBudget({ waitMs: 100 });
	const slow = stall();
	const timer = setInterval(() => slow.put(1), 5);
	const read = await readBody(slow, { maxBytes: MAX_BYTES, bodies, network: 'a' });
	clearInterval(timer);
	expect(told(read)).toBe(408);
});

test('however a body ends, nothing of it is held', async () => {
	const bodies = createBodyBudget({ waitMs: 50 });
	const bounds = { maxBytes: 100, bodies, network: 'a' };
	const after = async (work: (one: ReturnType<typeof stall>) => void) => {
		const one = stall();
		work(one);
		const status = told(await readBody(one, bounds));
		expect(bodies.bytes()).toBe(0);
		return status;
	};
	const tooMuch = Object.assign(new Error('too much'), { status: 413 });
	expect([
		await after((one) => (one.put(60), one.put(40), one.end())),
		await after((one) => (one.put(60), one.put(41), one.end())),
		// known to be too large by then: sent again it would be so again
		await after((one) => (one.put(60), one.put(41))),
		await after((one) => (one.put(60), one.fail(new Error('aborted')))),
		await after((one) => (one.put(60), one.fail(tooMuch))),
		told(await readBody({ body: null }, bounds)),
	]).toEqual([100, 413, 413, 400, 413, 0]);
});

test('a stream that failed before anybody read is told as what it failed of', async () => {
	const bodies = createBodyBudget();
	const one = stall();
	one.fail(Object.assign(new Error('too much'), { status: 413 }));
	expect(await readBody(one, { maxBytes: 100, bodies, network: 'a' })).toMatchObject({
		status: 413,
		rule: 'must be at most what BODY_SIZE_LIMIT says',
	});
});

/** Six hundred bodies of one network that stall before their last byte, then an honest one of each of two networks. */
async function attack(networkBytes: number) {
	const bodies = createBodyBudget({ networkBytes, totalBytes: 4 * networkBytes });
	const stalled = Array.from({ length: 600 }, stall);
	const reads = stalled.map((one) =>
		readBody(one, { maxBytes: 64 * KIB, bodies, network: '192.0.2.1' }),
	);
	for (const one of stalled) one.put(64 * KIB - 1);
	await soon();
	const held = bodies.bytes();
	const honest = [];
	for (const network of ['192.0.2.1', '192.0.2.2']) {
		const one = stall();
		const read = readBody(one, { maxBytes: 64 * KIB, bodies, network });
		one.put(60 * KIB);
		one.end();
		honest.push(told(await read));
	}
	for (const one of stalled) one.end();
	const statuses = (await Promise.all(reads)).map(told);
	expect(bodies.bytes()).toBe(0);
	return { held, honest, refused: statuses.filter((status) => status === 503).length };
}

test('stalled bodies hold no more than the share of their network, and other networks are read', async () => {
	const { held, honest, refused } = await attack(2 * KIB * KIB);
	expect(held).toBeLessThanOrEqual(2 * KIB * KIB);
	expect(honest).toEqual([503, 60 * KIB]);
	expect(refused).toBeGreaterThanOrEqual(600 - 32);
});

test('(control) without a share they hold everything', async () => {
	const { held, refused } = await attack(Infinity);
	expect(held).toBeGreaterThanOrEqual(600 * (64 * KIB - 1));
	expect(refused).toBe(0);
});

test('pieces of one byte are charged what Node holds of them', async () => {
	const bodies = createBodyBudget({ networkBytes: 100 * (1 + PIECE_BYTES) });
	const one = stall();
	const read = readBody(one, { maxBytes: MAX_BYTES, bodies, network: 'a' });
	for (let i = 0; i < 101; i++) one.put(1);
	one.end();
	expect(told(await read)).toBe(503);
});

test('a piece of one byte takes at most what is charged', async () => {
	const pieces: Uint8Array[] = [];
	let isRead = () => {};
	const done = new Promise<void>((resolve) => (isRead = resolve));
	const port = await serve(async (request) => {
		for await (const piece of request.body ?? []) pieces.push(piece);
		isRead();
	});
	const socket = connect(port, '127.0.0.1').on('error', () => {});
	onTestFinished(() => void socket.destroy());
	const head =
		'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked';
	socket.write(`${head}\r\n\r\n${'1\r\na\r\n'.repeat(1_000)}0\r\n\r\n`);
	await done;
	expect(pieces.length).toBe(1_000);
	// a view of a larger buffer would keep all of it
	expect(pieces.map(({ buffer }) => buffer.byteLength)).toEqual(pieces.map(() => 1));
});

/** Serves an endless body in pieces of one byte. @param use reads it, and calls `saw` for each piece */
async function serveEndless(use: (request: Request, saw: () => void) => Promise<unknown>) {
	let seen = 0;
	let isDone = false;
	const port = await serve(async (request) => {
		await use(request, () => seen++);
		isDone = true;
	});
	const socket = connect(port, '127.0.0.1').on('error', () => {});
	onTestFinished(() => void socket.destroy());
	const head =
		'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked';
	socket.write(`${head}\r\n\r\n${'1\r\na\r\n'.repeat(4 * MAX_PIECES)}`);
	return { seen: () => seen, isDone: () => isDone };
}

test('an endless body in tiny pieces is given up after so many', async () => {
	const bodies = createBodyBudget();
	const reads: Body[] = [];
	const { isDone } = await serveEndless(async (request) =>
		reads.push(await readBody(request, { maxBytes: MAX_BYTES, bodies, network: 'a' })),
	);
	await expect.poll(isDone, PATIENCE).toBe(true);
	expect(reads).toEqual([
		{
			ok: false,
			status: 400,
			error:
				'The body came in more than 16384 pieces. Send it in larger ones, or with a Content-Length.',
			rule: 'must come in at most 16384 pieces',
		},
	]);
	expect(bodies.bytes()).toBe(0);
});

test('(control) read as it comes, it is read on', async () => {
	const { seen, isDone } = await serveEndless(async (request, saw) => {
		try {
			for await (const piece of request.body ?? []) if (piece.byteLength > 0) saw();
		} catch {
			// its connection ends with the test
		}
	});
	await expect.poll(seen, PATIENCE).toBe(4 * MAX_PIECES);
	expect(isDone()).toBe(false);
});

test('as many pieces as are allowed are a body', async () => {
	const bodies = createBodyBudget();
	const one = stall();
	for (let i = 0; i < MAX_PIECES; i++) one.put(1);
	one.end();
	const read = await readBody(one, { maxBytes: MAX_BYTES, bodies, network: 'a' });
	expect(told(read)).toBe(MAX_PIECES);
});

test('nothing gathers before it is read: the adapter holds one piece, and lets the sender wait', async () => {
	let finish = () => {};
	const waiting = new Promise<void>((resolve) => (finish = resolve));
	const port = await serve(() => waiting);
	const req = send({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-type': 'x/y' } });
	req.on('error', () => {});
	const before = process.memoryUsage().arrayBuffers;
	const MIB = 1024 * KIB;
	let isAccepted = false;
	req.write(Buffer.alloc(64 * MIB), () => (isAccepted = true));
	await soon();
	expect(isAccepted).toBe(false);
	// beside the 64 MiB that are sent
	expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((64 + 2) * MIB);
	finish();
	req.destroy();
});
