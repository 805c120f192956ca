/** Clients that read slowly or not at all, on real sockets, through SvelteKit's own pump. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setResponse } from '@sveltejs/kit/node';
import { createParser } from 'eventsource-parser';
import { expect, onTestFinished, test } from 'vitest';
import { createBus } from '../../src/lib/server/stream/ring';
import type { Instance } from '../../src/lib/server/stream/hub';
import { startTestInstance, useDatabase } from '../setup/instances';

const STUCK_MS = 1_000;
const GRACE_MS = 1_500;

/** The stream's route without the rest of the app: `?cursor=`, and the socket to sever. */
async function serve(instance: Instance): Promise<{ url: string; connections(): Promise<number> }> {
	const server = createServer((req, res) => {
		const { searchParams } = new URL(req.url ?? '/', 'http://localhost');
		const sever = () => {
			if (!req.destroyed) req.socket.destroy();
		};
		void setResponse(res, new Response(instance.open(searchParams.get('cursor'), { sever })));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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

test('a client that stalls delays nobody, is ended cleanly, and catches up with its cursor; one that never reads again is severed', async () => {
	const { url: databaseUrl, sql } = await useDatabase();
	const instance = await startTestInstance(databaseUrl, {
		bus: createBus({ stuckMs: STUCK_MS }),
		graceMs: GRACE_MS,
	});
	const { url, connections } = await serve(instance);
	const [healthy, stalls, dead] = [await connect(url), await connect(url), await connect(url)];
	for (const client of [healthy, stalls, dead])
		await expect.poll(() => client.names.includes('reset')).toBe(true);
	stalls.stall();
	dead.stall();

	// far more than the sockets hide in their buffers, as frames of 4 MB
	for (let i = 1; i <= 6; i++) {
		await sql`insert into nowboard.events (name, properties)
			select 'big', jsonb_build_object('text', repeat('x', 8000)) from generate_series(1, 500)`;
		await expect.poll(() => healthy.ids.length, { timeout: 60_000 }).toBe(i * 500);
	}
	expect(stalls.ids.length).toBeLessThan(500);
	// the healthy one goes on; whoever takes nothing of it for STUCK_MS is let go
	await expect
		.poll(
			async () => {
				await sql`insert into nowboard.events (name) values ('small')`;
				return instance.counts().clients;
			},
			{ timeout: 60_000, interval: 100 },
		)
		.toBe(1);
	const committed = (await sql<{ id: string }[]>`select id from nowboard.events order by id`).map(
		({ id }) => Number(id),
	);

	stalls.go();
	await expect.poll(stalls.complete, { timeout: 60_000 }).toBe(true);
	expect([stalls.status, stalls.names.at(-1)]).toEqual([200, 'bye']);
	const again = await connect(url, stalls.cursor);
	const rest = committed.length - stalls.ids.length;
	await expect.poll(() => again.ids.length, { timeout: 60_000 }).toBe(rest);
	expect([...stalls.ids, ...again.ids]).toEqual(committed);
	expect(again.names).not.toContain('reset');

	// the one that never takes its farewell is not waited for: two connections stay
	await expect.poll(connections, { timeout: GRACE_MS + 10_000 }).toBe(2);
	dead.go();
	await expect.poll(dead.closed, { timeout: 60_000 }).toBe(true);
	expect(dead.complete()).toBe(false);
	expect(healthy.ids).toEqual(committed);
	expect(healthy.names.filter((name) => name === 'reset')).toHaveLength(1);
}, 300_000);
