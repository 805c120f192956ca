/** A suite that catches nothing proves nothing: what each broken design does to a client must be seen in its account. */
import { describe, expect, test } from 'vitest';
import { createBus, type Bus } from '../../src/lib/server/stream/ring';
import { toFrame } from '../../src/lib/server/stream/frames';
import { createClientStream, type Joined } from '../../src/lib/server/stream/client-stream';
import { createAccount } from './account';
import { createOracle, type Verdict } from './oracle';
import { FAULT_KINDS, toPlan } from './plan';

const TXS = [1, 2, 3, 4, 5];
const oracle = createOracle({
	txs: BigUint64Array.from(TXS.map(BigInt)),
	ids: Float64Array.from(TXS.map((tx) => tx * 10)),
	// the second and the fourth pass filter 0
	marks: Uint8Array.of(0, 1, 0, 1, 0),
});
const nothing = { totals: {}, tables: {}, at: '' };
const activity = (tx: number, ids = [tx * 10], omitted = 0, id = `e1-${tx}`) =>
	toFrame('activity', { events: ids.map((id) => ({ id })), omitted, ...nothing } as never, id);
const reset = (tx: number) =>
	toFrame('reset', { events: [{ id: tx * 10 }], ...nothing } as never, `e1-${tx}`);

/** What the judge says of a client that was told these frames. */
function judge(...frames: { bytes: Uint8Array }[]): Partial<Verdict> {
	const account = createAccount();
	for (const { bytes } of frames) account.feed(Buffer.from(bytes));
	const { lost, twice, ghosts, omitted, resets, unpromised } = oracle.judge(account, null);
	return {
		lost,
		twice,
		ghosts,
		omitted,
		resets,
		unpromised: unpromised.map((one) => one.replace(/ after.*/, '')),
	};
}
const well = { lost: 0, twice: 0, ghosts: 0, omitted: 0, resets: 1, unpromised: [] };

describe('the judge', () => {
	test('each row once: nothing to say', () => {
		expect(judge(reset(2), activity(3), activity(4), activity(5))).toEqual(well);
		expect(judge(reset(2), activity(5, [30, 40, 50]))).toEqual(well);
	});
	test('a row that is missing, at the end or in the middle', () => {
		expect(judge(reset(2), activity(3), activity(5))).toEqual({ ...well, lost: 1 });
		expect(judge(reset(2), activity(5, [50]))).toEqual({ ...well, lost: 2 });
	});
	test('a row that is missing before a later reset, which was not due', () => {
		expect(judge(reset(1), activity(3), reset(4))).toEqual({
			...well,
			lost: 1,
			resets: 2,
			unpromised: ['a reset only 1 rows'],
		});
	});
	test('a row that comes again, or that the reset covered', () => {
		expect(judge(reset(3), activity(4), activity(4), activity(5))).toEqual({ ...well, twice: 1 });
		expect(judge(reset(3), activity(5, [30, 40, 50]))).toEqual({ ...well, twice: 1 });
	});
	test('a filtered client is due the rows that pass, and no others', () => {
		const judged = (...frames: { bytes: Uint8Array }[]) => {
			const account = createAccount();
			for (const { bytes } of frames) account.feed(Buffer.from(bytes));
			const { lost, twice } = oracle.judge(account, 0);
			return { lost, twice };
		};
		expect(judged(reset(1), activity(5, [20, 40]))).toEqual({ lost: 0, twice: 0 });
		expect(judged(reset(1), activity(5, [20]))).toEqual({ lost: 1, twice: 0 });
		expect(judged(reset(1), activity(5, [20, 30, 40]))).toEqual({ lost: 0, twice: 1 });
	});
	test('a row that was never committed', () => {
		expect(judge(reset(4), activity(5, [50, 99])).ghosts).toBe(1);
	});
	test('rows that were counted are not lost, but were not to be omitted', () => {
		expect(judge(reset(3), activity(5, [50], 1))).toEqual({
			...well,
			omitted: 1,
			unpromised: ['an omission among 2 rows'],
		});
	});
	test('a row of a transaction that was open, when it comes and when it does not', () => {
		expect(judge(reset(1), activity(4, [20, 40], 0, 'e1-4.1'), activity(5, [30, 50]))).toEqual(
			well,
		);
		expect(judge(reset(1), activity(4, [20, 40], 0, 'e1-4.1'), activity(5))).toEqual({
			...well,
			lost: 1,
		});
	});
	test('an event that was cut in the middle counts when it comes whole', () => {
		const account = createAccount();
		account.feed(Buffer.from(reset(4).bytes));
		account.feed(Buffer.from(activity(5).bytes.subarray(0, -1)));
		account.cut();
		expect([account.cursor(), account.has(50)]).toEqual(['e1-4', false]);
		for (const byte of activity(5).bytes) account.feed(Buffer.from([byte]));
		expect([account.cursor(), account.has(50)]).toEqual(['e1-5', true]);
	});
});

describe('servers that others would write', () => {
	/** Opens a stream of the real bus whose way of joining is given, and lets the judge look at it. */
	async function watch(
		join: (bus: Bus) => Promise<Joined>,
		play: (bus: Bus) => void | Promise<void>,
	): Promise<Partial<Verdict>> {
		const bus = createBus();
		const stream = createClientStream(
			{ bus, opening: () => new Uint8Array(), bye: () => toFrame('bye', { retryMs: 1 }).bytes },
			{ cursor: null, wants: () => true, join: () => join(bus), onLeave: () => {} },
		);
		const frames: { bytes: Uint8Array }[] = [];
		const reader = stream.body.getReader();
		const done = (async () => {
			for (;;) {
				const { value, done } = await reader.read();
				if (done) return;
				frames.push({ bytes: value });
			}
		})();
		await play(bus);
		await new Promise(setImmediate);
		stream.end('shutdown');
		await done;
		return judge(...frames);
	}

	test('no seam: one that reads first and subscribes at the head of then loses what came between', async () => {
		let read = () => {};
		const reading = new Promise<void>((resolve) => (read = resolve));
		const during = async (bus: Bus) => {
			bus.publish(activity(4));
			read();
			await new Promise(setImmediate);
			bus.publish(activity(5));
		};
		const naive = async (bus: Bus) => {
			const frames = [reset(3)];
			await reading;
			return { frames, position: bus.head() };
		};
		const ours = async (bus: Bus) => {
			const way = { frames: [reset(3)], position: bus.head() };
			await reading;
			return way;
		};
		expect(await watch(naive, during)).toEqual({ ...well, lost: 1 });
		expect(await watch(ours, during)).toEqual(well);
	});

	test('no forced drain: a client ahead of the instance that joins at its head gets rows again', async () => {
		// the client has seen 5; this instance has shown 3, and will show 4 and 5
		const naive = async (bus: Bus) => ({ frames: [reset(5)], position: bus.head() });
		expect(
			await watch(naive, async (bus) => {
				await new Promise(setImmediate);
				bus.publish(activity(4));
				bus.publish(activity(5));
			}),
		).toEqual({ ...well, twice: 2 });
		// it must look before it lets the client in: then there is nothing new
		const ours = async (bus: Bus) => {
			bus.publish(activity(4));
			bus.publish(activity(5));
			return { frames: [reset(5)], position: bus.head() };
		};
		expect(await watch(ours, () => {})).toEqual(well);
	});
});

test('a seed is a plan: the same again, another for another, and every kind of fault before any comes twice', () => {
	const options = {
		seed: 7,
		faults: FAULT_KINDS.length,
		clients: 20,
		instances: 2,
		stallMs: 1,
		relay: false,
	};
	expect(toPlan(options)).toEqual(toPlan(options));
	expect(toPlan(options)).not.toEqual(toPlan({ ...options, seed: 8 }));
	expect(new Set(toPlan(options).faults.map(({ kind }) => kind)).size).toBe(FAULT_KINDS.length);
});
