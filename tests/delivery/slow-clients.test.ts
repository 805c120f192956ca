/** Clients that read slowly or not at all, on real sockets, through SvelteKit's own pump. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { setResponse } from '@sveltejs/kit/node';
import { createParser } from 'eventsource-parser';
import { expect, onTestFinished, test } from 'vitest';
import { createBus } from '../../src/lib/server/stream/ring';
import type { Instance } from '../../src/lib/server/stream/hub';
import { startTestInstance, useDatabase } from '../setup/instances';
import { listen } from '../setup/listen';

const STUCK_MS = 1_000;
const GRACE_MS = 200;
/** longer than any test */
const NEVER_MS = 600_000;
const FRAMES = 5;
const FRAME_ROWS = 500;
const PATIENCE = { timeout: 100_000 };

/** The stream's route without the rest of the app: `?cursor=`, and the socket to sever. */
async function serve(instance: Instance): Promise<{ url: string; connections(): Promise<number> }> {
	const server = createServer((req, res) => {
		const { searchParams } = new URL(req.url ?? '/', 'http://localhost');
		const sever = () => {
			if (!req.destroyed) req.socket.destroy();
		};
		void setResponse(res, new Response(instance.open(searchParams.get('cursor'), { sever })));
	});
	return {
		url: `http://127.0.0.1:${await listen(server)}`,
		connections: () =>
			new Promise((resolve, reject) =>
				server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
			),
	};
}

/** A client that can stop reading; it counts what it was told. */
async function connect(url: string, cursor: string | null = null) {
	const query = cursor === null ? '' : `?cursor=${cursor}`;
	const request = get(`${url}/${query}`, { agent: false });
	request.on('error', () => {});
	const [response] = (await once(request, 'response')) as [IncomingMessage];
	const client = {
		status: response.statusCode,
		ids: [] as number[],
		names: [] as string[],
		cursor,
		/** the answer came to its proper end */
		complete: () => response.complete,
		closed: () => response.closed,
		stall: () => void response.pause(),
		go: () => void response.resume(),
	};
	const parser = createParser({
		onEvent({ event = '', id, data }) {
			client.names.push(event);
			if (id !== undefined) client.cursor = id;
			if (event !== 'activity') return;
			for (const { id } of JSON.parse(data).events as { id: number }[]) client.ids.push(id);
		},
	});
	const decoder = new TextDecoder();
	response.on('data', (chunk: Buffer) => parser.feed(decoder.decode(chunk, { stream: true })));
	response.on('error', () => {});
	onTestFinished(() => void response.destroy());
	return client;
}

/** Three clients, and far more for two of them than the sockets hide in their buffers, as frames of 4 MB. */
async function stallTwo(graceMs: number) {
	const { url: databaseUrl, sql } = await useDatabase();
	const bus = createBus({ stuckMs: STUCK_MS });
	const instance = await startTestInstance(databaseUrl, { bus, graceMs });
	const { url, connections } = await serve(instance);
	const [healthy, stalls, dead] = [await connect(url), await connect(url), await connect(url)];
	for (const client of [healthy, stalls, dead])
		await expect.poll(() => client.names.includes('reset')).toBe(true);
	stalls.stall();
	dead.stall();
	for (let i = 1; i <= FRAMES; i++) {
		await sql`insert into nowboard.events (name, properties)
			select 'big', jsonb_build_object('text', repeat('x', 8000)) from generate_series(1, ${FRAME_ROWS}::int)`;
		await expect.poll(() => healthy.ids.length, PATIENCE).toBe(i * FRAME_ROWS);
	}
	// the healthy one goes on; a client that takes nothing for STUCK_MS is let go
	const insertAndCount = async () => {
		await sql`insert into nowboard.events (name) values ('small')`;
		return instance.counts().clients;
	};
	await expect.poll(insertAndCount, PATIENCE).toBe(1);
	const rows = await sql<{ id: string }[]>`select id from nowboard.events order by id`;
	const committed = rows.map(({ id }) => Number(id));
	return { url, connections, committed, healthy, stalls, dead };
}

test('a client that stalls delays no other, is ended cleanly, and catches up with its cursor', async () => {
	const { url, committed, healthy, stalls } = await stallTwo(NEVER_MS);
	expect(stalls.ids.length).toBeLessThan(FRAME_ROWS);
	stalls.go();
	await expect.poll(stalls.complete, PATIENCE).toBe(true);
	expect([stalls.status, stalls.names.at(-1)]).toEqual([200, 'bye']);
	const again = await connect(url, stalls.cursor);
	const rest = committed.length - stalls.ids.length;
	await expect.poll(() => again.ids.length, PATIENCE).toBe(rest);
	expect([...stalls.ids, ...again.ids]).toEqual(committed);
	expect(again.names).not.toContain('reset');
	expect(healthy.ids).toEqual(committed);
	expect(healthy.names.filter((name) => name === 'reset')).toHaveLength(1);
});

test('a client that never takes its farewell is severed', async () => {
	const { connections, committed, healthy, stalls, dead } = await stallTwo(GRACE_MS);
	await expect.poll(connections, PATIENCE).toBe(1);
	for (const client of [stalls, dead]) {
		client.go();
		await expect.poll(client.closed, PATIENCE).toBe(true);
		expect(client.complete()).toBe(false);
	}
	await expect.poll(() => healthy.ids, PATIENCE).toEqual(committed);
});
