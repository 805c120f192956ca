import { describe, expect, test, vi } from 'vitest';
import { createClients, type OpenOptions } from './clients';
import { ALL, toViewKey, type ViewSpec } from '../live/views';
import { createBus, type Frame } from './ring';
import { createWatchedViews } from './watched-views';

const encode = (text: string) => new TextEncoder().encode(text);
const RESET: Frame = { event: 'reset', bytes: encode('reset '), id: 'e1-1' };

function start() {
	const bus = createBus();
	const firsts: number[] = [];
	const left: string[] = [];
	const watched = createWatchedViews();
	const clients = createClients({
		watched,
		context: { bus, opening: () => encode('opening '), bye: () => encode('bye') },
		join: async () => ({ frames: [RESET], position: bus.head() }),
		onFirst: () => firsts.push(clients.size()),
	});
	const open = (options: OpenOptions = {}) =>
		clients.open(null, { onLeave: (reason) => left.push(reason), ...options });
	return { clients, open, firsts, left, watched };
}
const read = async (body: ReadableStream<Uint8Array>) => await new Response(body).text();
/** Reads until the client has joined. */
async function join(body: ReadableStream<Uint8Array>) {
	const reader = body.getReader();
	let text = '';
	while (!text.includes('reset')) text += new TextDecoder().decode((await reader.read()).value);
	return reader;
}

test('onFirst is called when a client comes and none was there', async () => {
	const { clients, open, firsts } = start();
	const one = await join(open());
	const two = await join(open());
	expect([clients.size(), firsts]).toEqual([2, [1]]);
	await Promise.all([one.cancel(), two.cancel()]);
	await expect.poll(() => clients.size()).toBe(0);
	const three = await join(open());
	expect(firsts).toEqual([1, 1]);
	await three.cancel();
});

test('clients that leave are counted by their reason, once, and resets as well', async () => {
	const { clients, open, left } = start();
	const one = await join(open());
	await one.cancel();
	const ending = new AbortController();
	const two = open({ until: ending.signal });
	const text = read(two);
	await expect.poll(() => clients.counts().resets).toBe(2);
	ending.abort();
	expect(await text).toBe('opening reset bye');
	expect(left).toEqual(['client_left', 'viewer_ended']);
	expect(clients.counts()).toMatchObject({
		clients: 0,
		resets: 2,
		ended: { client_left: 1, viewer_ended: 1, shutdown: 0 },
	});
});

test('a viewer that has ended before the stream was opened gets nothing of it', async () => {
	const { open, left } = start();
	const text = await read(open({ until: AbortSignal.abort() }));
	expect(text).not.toContain('reset');
	expect(left).toEqual(['viewer_ended']);
});

test('a view is watched from its first client to its last', async () => {
	const { clients, open, watched } = start();
	const shop: ViewSpec = {
		filter: [{ dimension: 'source', operator: ':', value: 'shop', negated: false }],
		by: [],
	};
	const keys = () => watched.specs().map(toViewKey);
	const one = await join(open({ view: shop }));
	const two = await join(open({ view: shop }));
	const all = await join(open());
	expect(keys()).toEqual([toViewKey(shop), toViewKey(ALL)]);
	await one.cancel();
	await expect.poll(() => clients.size()).toBe(2);
	expect(keys()).toEqual([toViewKey(shop), toViewKey(ALL)]);
	await two.cancel();
	await expect.poll(keys).toEqual([toViewKey(ALL)]);
	await all.cancel();
});

describe('at the end of the process', () => {
	test('every client is told bye in slices; one that comes later is told at once', async () => {
		vi.useFakeTimers();
		try {
			const { clients, open, left } = start();
			const texts = Array.from({ length: 250 }, () => read(open()));
			await vi.advanceTimersByTimeAsync(0);
			clients.dismiss();
			clients.dismiss();
			expect(clients.dismissed()).toBe(true);
			await vi.advanceTimersByTimeAsync(0);
			expect(left).toHaveLength(100);
			await vi.advanceTimersByTimeAsync(200);
			expect(left).toEqual(Array(250).fill('shutdown'));
			expect(new Set(await Promise.all(texts))).toEqual(new Set(['opening reset bye']));
			expect(await read(open())).toMatch(/bye$/);
		} finally {
			vi.useRealTimers();
		}
	});

	test('stop ends what is left at once', async () => {
		const { clients, open, left } = start();
		const texts = Array.from({ length: 3 }, () => read(open()));
		await expect.poll(() => clients.counts().resets).toBe(3);
		clients.stop();
		expect((await Promise.all(texts)).every((text) => text.endsWith('bye'))).toBe(true);
		expect(left).toEqual(Array(3).fill('shutdown'));
	});
});
