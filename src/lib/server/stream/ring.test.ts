import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { StreamEventName } from '../../protocol';
import { createBus, type Client, type Frame } from './ring';

const frame = (text: string, id?: string, event: StreamEventName = 'activity'): Frame => {
	const bytes = new TextEncoder().encode(text);
	return id === undefined ? { event, bytes } : { event, bytes, id };
};
const text = (one: Frame) => new TextDecoder().decode(one.bytes);

/** A client that writes down what happens to it; `room` is how many frames it takes. */
function clientOf(room = Number.POSITIVE_INFINITY, without: StreamEventName[] = []) {
	const log: string[] = [];
	const client: Client & { log: string[]; room: number } = {
		log,
		room,
		wants: (event) => !without.includes(event),
		ready: () => client.room > 0,
		deliver(one) {
			client.room--;
			log.push(text(one));
		},
		lost: (reason) => log.push(`lost: ${reason}`),
	};
	return client;
}

test('everyone is handed the same bytes', () => {
	const bus = createBus();
	const handed: Uint8Array[] = [];
	for (let i = 0; i < 3; i++)
		bus.subscribe({ ...clientOf(), deliver: (one) => handed.push(one.bytes) }, bus.head());
	const one = frame('a');
	bus.publish(one);
	expect(handed).toHaveLength(3);
	expect(handed.every((bytes) => bytes === one.bytes)).toBe(true);
});

test('a client that does not ask keeps its place, and takes what it missed when it does', () => {
	const bus = createBus();
	const client = clientOf(1);
	const place = bus.subscribe(client, bus.head());
	for (const name of ['a', 'b', 'c']) bus.publish(frame(name));
	expect(client.log).toEqual(['a']);
	client.room = 2;
	place.resume();
	expect(client.log).toEqual(['a', 'b', 'c']);
});

test('a client that asks for more while it is handed a frame gets each frame once', () => {
	const bus = createBus();
	const client = clientOf();
	const place = bus.subscribe(
		{
			...client,
			deliver(one) {
				client.log.push(text(one));
				place.resume();
			},
		},
		bus.head(),
	);
	for (const name of ['a', 'b', 'c']) bus.publish(frame(name));
	expect(client.log).toEqual(['a', 'b', 'c']);
});

test('frames that a client leaves out do not hold it up', () => {
	const bus = createBus();
	const client = clientOf(1, ['metrics']);
	bus.subscribe(client, bus.head());
	bus.publish(frame('tick', undefined, 'metrics'));
	bus.publish(frame('a'));
	expect(client.log).toEqual(['a']);
});

test('a client that leaves is forgotten, also twice', () => {
	const bus = createBus();
	const client = clientOf();
	const place = bus.subscribe(client, bus.head());
	place.unsubscribe();
	place.unsubscribe();
	bus.publish(frame('a'));
	expect([bus.size(), client.log]).toEqual([0, []]);
});

describe('the ring', () => {
	test('a client far behind is lost when its place is overwritten, and only then', () => {
		const bus = createBus({ maxFrames: 2 });
		const client = clientOf(0);
		bus.subscribe(client, bus.head());
		for (const name of ['a', 'b']) bus.publish(frame(name));
		expect(client.log).toEqual([]);
		bus.publish(frame('c'));
		expect([client.log, bus.size()]).toEqual([['lost: fell_off_ring'], 0]);
	});

	test('a client that stands still for too long is lost; one that has nothing to take is not', () => {
		let now = 0;
		const bus = createBus({ stuckMs: 10, now: () => now });
		const [stuck, idle] = [clientOf(0), clientOf()];
		bus.subscribe(stuck, bus.head());
		bus.subscribe(idle, bus.head());
		for (const [time, name] of [
			[5, 'a'],
			[1_000, 'b'],
		] as const) {
			now = time;
			bus.publish(frame(name));
		}
		expect([stuck.log, idle.log]).toEqual([['lost: stood_still'], ['a', 'b']]);
	});

	test('bytes are bounded as well; the newest frame is always kept', () => {
		const bus = createBus({ maxBytes: 10 });
		for (let i = 0; i < 5; i++) bus.publish(frame('12345'));
		expect(bus.head() - bus.tail()).toBe(2);
		bus.publish(frame('x'.repeat(50)));
		expect(bus.head() - bus.tail()).toBe(1);
	});

	test('an id is found as long as a client could go on after it', () => {
		const bus = createBus({ maxFrames: 2 });
		for (const id of ['1', '2', '3', '4']) bus.publish(frame(`f${id}`, id));
		expect(['1', '2', '3', '4'].map(bus.find)).toEqual([null, 2, 3, 4]);
		expect(bus.since(2).map(text)).toEqual(['f3', 'f4']);
		expect(bus.since(4)).toEqual([]);
	});

	test('frames without an id are not repeated to those who come back', () => {
		const bus = createBus();
		bus.publish(frame('a', '1'));
		bus.publish(frame('tick', undefined, 'metrics'));
		bus.publish(frame('b', '2'));
		expect(bus.since(bus.find('1') as number).map(text)).toEqual(['b']);
	});

	test('stays bounded over many frames', () => {
		const bus = createBus({ maxFrames: 8 });
		const client = clientOf();
		bus.subscribe(client, bus.head());
		for (let i = 0; i < 1_000; i++) bus.publish(frame(String(i), `i${i}`));
		expect(client.log).toEqual(Array.from({ length: 1_000 }, (_, i) => String(i)));
		expect([bus.head(), bus.tail(), bus.find('i990'), bus.find('i991')]).toEqual([
			1_000,
			992,
			null,
			992,
		]);
	});
});

describe('what has left the ring', () => {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;

	/** How many of 200 frames of 1 KB each are still in memory after they went through a ring of 10 KB. */
	async function countKept(publish: (frame: Frame) => void): Promise<number> {
		const refs: WeakRef<Frame>[] = [];
		for (let i = 0; i < 200; i++) {
			const one = frame('x'.repeat(1_024), `${i}`);
			refs.push(new WeakRef(one));
			publish(one);
		}
		// a reference that was just made or read lives until the end of its task
		await new Promise((resolve) => setTimeout(resolve, 10));
		collect();
		return refs.filter((ref) => ref.deref() !== undefined).length;
	}

	test('is not kept in memory', async () => {
		const bus = createBus({ maxBytes: 10 * 1_024 });
		expect(await countKept(bus.publish)).toBeLessThanOrEqual(11);
		expect(bus.head() - bus.tail()).toBe(10);
	});

	test('(control) cut lazily and not emptied, it is', async () => {
		const frames: Frame[] = [];
		expect(await countKept((one) => frames.push(one))).toBe(200);
		expect(frames).toHaveLength(200);
	});
});
