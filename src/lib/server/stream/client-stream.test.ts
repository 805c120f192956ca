import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createBus, STUCK_MS, type Bus, type Frame } from './ring';
import {
	CATCH_UP_BYTES_PER_S,
	CATCH_UP_MS,
	createClientStream,
	GRACE_MS,
	type Joined,
} from './client-stream';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const frame = (id: string): Frame => ({ event: 'activity', bytes: encode(id), id });

function open(
	bus: Bus,
	join: (cursor: string | null) => Joined | Promise<Joined>,
	cursor: string | null = null,
	limits: { catchUpMs?: number } = {},
) {
	const left: string[] = [];
	const stream = createClientStream(
		{ bus, opening: () => encode('opening'), bye: () => encode('bye'), ...limits },
		{
			cursor,
			wants: () => true,
			join: async (cursor) => join(cursor),
			onLeave: (reason) => left.push(reason),
		},
	);
	const reader = stream.body.getReader();
	return {
		left,
		end: () => stream.end('shutdown'),
		cancel: () => reader.cancel(),
		/** reads until `count` chunks came, or the end */
		async read(count: number) {
			const read: string[] = [];
			while (read.length < count) {
				const { value, done } = await reader.read();
				if (done) return [...read, 'end'];
				read.push(decode(value));
			}
			return read;
		},
	};
}

test('opening, what was missed, then the ring: each once', async () => {
	const bus = createBus();
	bus.publish(frame('0'));
	const stream = open(bus, () => ({ frames: [frame('m1'), frame('m2')], position: bus.head() }));
	expect(await stream.read(3)).toEqual(['opening', 'm1', 'm2']);
	bus.publish(frame('1'));
	bus.publish(frame('2'));
	expect(await stream.read(2)).toEqual(['1', '2']);
});

test('what is published while a client joins is not lost between history and present', async () => {
	const bus = createBus();
	let ready = (_: Joined) => {};
	const stream = open(bus, () => new Promise<Joined>((resolve) => (ready = resolve)));
	await stream.read(1);
	const position = bus.head();
	bus.publish(frame('during'));
	ready({ frames: [frame('missed')], position });
	expect(await stream.read(2)).toEqual(['missed', 'during']);
});

test('when the ring has moved on while a client caught up, it catches up again from where it stands', async () => {
	const bus = createBus({ maxFrames: 2 });
	const asked: (string | null)[] = [];
	const stream = open(
		bus,
		(cursor) => {
			asked.push(cursor);
			const position = bus.head();
			// the first time, more than the ring holds arrives before the client has read what it missed
			if (asked.length === 1) for (const id of ['1', '2', '3']) bus.publish(frame(id));
			return { frames: [frame(`missed${asked.length}`)], position };
		},
		'start',
	);
	expect(await stream.read(3)).toEqual(['opening', 'missed1', 'missed2']);
	expect(asked).toEqual(['start', 'missed1']);
});

describe('every way out is the same, once', () => {
	const here = (bus: Bus) => () => ({ frames: [], position: bus.head() });

	test('the client leaves', async () => {
		const bus = createBus();
		const stream = open(bus, here(bus));
		await stream.read(1);
		await stream.cancel();
		stream.end();
		expect([stream.left, bus.size()]).toEqual([['client_left'], 0]);
	});

	test('the server ends it: a farewell, and a clean end', async () => {
		const bus = createBus();
		const stream = open(bus, here(bus));
		await stream.read(1);
		stream.end();
		stream.end();
		expect(await stream.read(2)).toEqual(['bye', 'end']);
		expect([stream.left, bus.size()]).toEqual([['shutdown'], 0]);
	});

	test('it falls off the ring: a farewell, and a clean end', async () => {
		const bus = createBus({ maxFrames: 1 });
		const stream = open(bus, here(bus));
		await stream.read(1);
		await expect.poll(() => bus.size()).toBe(1);
		for (const id of ['1', '2', '3', '4']) bus.publish(frame(id));
		expect(await stream.read(9)).toEqual(['bye', 'end']);
		expect([stream.left, bus.size()]).toEqual([['fell_off_ring'], 0]);
	});

	test('it takes nothing of what it missed for too long: slow is not stuck', async () => {
		vi.useFakeTimers();
		onTestFinished(() => void vi.useRealTimers());
		const bus = createBus();
		const missed = ['m1', 'm2', 'm3'].map(frame);
		const stream = open(bus, () => ({ frames: missed, position: bus.head() }));
		expect(await stream.read(2)).toEqual(['opening', 'm1']);
		await vi.advanceTimersByTimeAsync(STUCK_MS - 1);
		expect(await stream.read(1)).toEqual(['m2']);
		await vi.advanceTimersByTimeAsync(STUCK_MS - 1);
		expect(stream.left).toEqual([]);
		await vi.advanceTimersByTimeAsync(1);
		expect(await stream.read(9)).toEqual(['bye', 'end']);
		expect(stream.left).toEqual(['stood_still']);
	});

	describe('what it missed is held for who reads it, not for who takes a frame now and then', () => {
		const SECONDS_PER_FRAME = 4;
		const frames = (): Frame[] =>
			Array.from({ length: 100 }, (_, i) => ({
				...frame(`m${i + 1}`),
				bytes: encode(`m${i + 1}`.padEnd(SECONDS_PER_FRAME * CATCH_UP_BYTES_PER_S, '.')),
			}));
		const idOf = (text: string) => text.replaceAll('.', '');

		/** what a client got that reads one of a hundred missed frames at this interval, how it was ended, and when */
		async function readEvery(ms: number, missed: Frame[], limits: { catchUpMs?: number } = {}) {
			vi.useFakeTimers();
			onTestFinished(() => void vi.useRealTimers());
			const bus = createBus();
			const join = () => ({ frames: missed, position: bus.head() });
			const stream = open(bus, join, null, limits);
			const got = await stream.read(2);
			const begun = performance.now();
			while (got.at(-1) !== 'end' && got.length <= missed.length) {
				await vi.advanceTimersByTimeAsync(ms);
				got.push(...(await stream.read(1)));
			}
			return { got: got.map(idOf), left: stream.left, ms: performance.now() - begun };
		}

		test('one small frame every 29 s: it is ended after a minute, and comes back to where it was', async () => {
			const missed = frames().map(({ id }) => frame(id as string));
			const { got, left, ms } = await readEvery(29_000, missed);
			expect([got, left]).toEqual([['opening', 'm1', 'm2', 'm3', 'bye', 'end'], ['fell_off_ring']]);
			// the farewell is read with the next frame that was due, the end with the one after it
			expect(ms).toBe(4 * 29_000);
		});

		test('a large frame every 29 s: each buys the time for its bytes, and no more', async () => {
			const { got, left } = await readEvery(29_000, frames());
			// at n frames it may stay 60 s and 4 s for each: the third came at 58 s, and the time is over at 72
			expect([got, left]).toEqual([['opening', 'm1', 'm2', 'm3', 'bye', 'end'], ['fell_off_ring']]);
		});

		test('control: with nothing but the rule for who stands still, they were held for 48 minutes', async () => {
			const { got, left, ms } = await readEvery(29_000, frames(), { catchUpMs: Infinity });
			expect([got.length, left, ms]).toEqual([101, [], 99 * 29_000]);
		});

		test('a client that reads at the rate gets all of it, however long that takes', async () => {
			const { got, left, ms } = await readEvery(SECONDS_PER_FRAME * 1_000, frames());
			expect(got).toEqual(['opening', ...frames().map(({ id }) => id)]);
			expect([left, ms]).toEqual([[], 99 * SECONDS_PER_FRAME * 1_000]);
			expect(ms).toBeGreaterThan(6 * CATCH_UP_MS);
		});

		test('waiting for the way in does not count', async () => {
			vi.useFakeTimers();
			onTestFinished(() => void vi.useRealTimers());
			const bus = createBus();
			let ready = (_: Joined) => {};
			const stream = open(bus, () => new Promise<Joined>((resolve) => (ready = resolve)));
			await stream.read(1);
			await vi.advanceTimersByTimeAsync(10 * CATCH_UP_MS);
			ready({ frames: ['m1', 'm2'].map(frame), position: bus.head() });
			expect([await stream.read(2), stream.left]).toEqual([['m1', 'm2'], []]);
		});
	});

	test('a connection that does not take its farewell is severed after the grace, never before', async () => {
		vi.useFakeTimers();
		onTestFinished(() => void vi.useRealTimers());
		const bus = createBus();
		const severed: string[] = [];
		const stream = createClientStream(
			{ bus, opening: () => encode('opening'), bye: () => encode('bye') },
			{
				cursor: null,
				wants: () => true,
				join: async () => ({ frames: [], position: bus.head() }),
				onLeave: () => {},
				sever: () => severed.push('severed'),
			},
		);
		stream.end('shutdown');
		await vi.advanceTimersByTimeAsync(GRACE_MS - 1);
		expect(severed).toEqual([]);
		await vi.advanceTimersByTimeAsync(1);
		expect(severed).toEqual(['severed']);
	});

	test('it cannot join', async () => {
		const stream = open(createBus(), () => Promise.reject(new Error('no')));
		expect(await stream.read(9)).toEqual(['opening', 'bye', 'end']);
		expect(stream.left).toEqual(['could_not_join']);
	});
});
