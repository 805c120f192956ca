import fc, { casesOf } from '../../../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import { createBacklog, PAST_FRAME_EVENTS } from './backlog';
import type { OpenView } from '../live/views';
import type { Frame } from './ring';
import { meet, parseCursor, sees, toId, type Cursor } from '../reader/cursor';
import type { Batch } from '../reader/drain';
import type { Row } from '../reader/row';

const cursorOf = (last: bigint, ...holes: bigint[]): Cursor => ({ epoch: 'e1', last, holes });

/** `size` rows of each transaction, ids in order. */
function rowsOf(txs: readonly bigint[], size = 1): Row[] {
	return txs.flatMap((tx) =>
		Array.from({ length: size }, (_, i) => ({
			tx,
			id: tx * 10_000n + BigInt(i),
			eventId: '',
			name: 'x',
			source: i % 2 ? 'odd' : 'even',
			sessionId: null,
			properties: {},
			size: 2,
			createdAt: 0,
			context: null,
			fault: null,
		})),
	);
}

/** Shows the rows of one source; without one, all. */
const viewOf = (source?: string) =>
	({
		key: source ?? 'all',
		match: (row: { source: string }) => source === undefined || row.source === source,
	}) as unknown as OpenView;

type Told = Frame & { batch: Batch };
const encode = (batch: Batch, _: unknown, id: string): Told => ({
	event: 'activity',
	bytes: new Uint8Array(),
	id,
	batch,
});
const idsOf = (frames: Frame[]) =>
	frames.flatMap((frame) => (frame as Told).batch.rows.map(({ id }) => id));
const txsOf = (frames: Frame[]) => [
	...new Set(frames.flatMap((frame) => (frame as Told).batch.rows.map(({ tx }) => tx))),
];

describe('against a model of readers that stopped anywhere', () => {
	/** transactions 1…30: which committed before the bus's position, and what each reader had seen before it left */
	const worlds = fc.record({
		committed: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 30 }),
		open: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
		size: fc.constantFrom<number>(1, 70, 150),
		readers: fc.array(
			fc.record({
				last: fc.integer({ min: 0, max: 30 }),
				holes: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
			}),
			{ minLength: 1, maxLength: 6 },
		),
	});

	type World = typeof worlds extends fc.Arbitrary<infer W> ? W : never;

	function play({ committed, open, size, readers }: World) {
		const holes = open.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
		const done = committed
			.map(BigInt)
			.filter((tx) => !holes.includes(tx))
			.sort((a, b) => (a < b ? -1 : 1));
		const upTo = cursorOf(31n, ...holes);
		const cursors = readers.map(({ last, holes: own }) => {
			// what is open to the bus now was open to everyone before
			const below = [...new Set([...own.map(BigInt), ...holes])].filter((tx) => tx < last);
			return cursorOf(BigInt(last), ...below.sort((a, b) => (a < b ? -1 : 1)));
		});
		const within = cursors.filter(({ last }) => holes.every((hole) => hole !== last));
		if (within.length === 0) return [];
		const base = meet(within);
		const rows = rowsOf(
			done.filter((tx) => !sees(base, tx)),
			size,
		);
		const backlog = createBacklog({ base, upTo, rows, misses: () => false, encode });
		return within.map((cursor) => ({
			cursor,
			frames: backlog.way(cursor, viewOf()),
			unseen: rowsOf(
				done.filter((tx) => !sees(cursor, tx)),
				size,
			).map(({ id }) => id),
		}));
	}

	test('each gets what it has not seen, in order, once; and may leave again after any frame', () => {
		fc.assert(
			fc.property(worlds, (world) => {
				for (const { frames, unseen } of play(world)) {
					expect(frames).not.toBeNull();
					const all = frames as Frame[];
					expect(idsOf(all)).toEqual(unseen);
					all.forEach((frame, i) => {
						const parsed = parseCursor(frame.id ?? '');
						if (!parsed.ok) throw new Error(parsed.reason);
						// what the cursor after this frame has not seen is exactly what comes after it
						const seen = txsOf(all.slice(0, i + 1));
						const rest = txsOf(all.slice(i + 1));
						expect(seen.every((tx) => sees(parsed.cursor, tx))).toBe(true);
						expect(rest.some((tx) => sees(parsed.cursor, tx))).toBe(false);
					});
				}
			}),
			{ numRuns: casesOf({ short: 300, long: 2_000 }) },
		);
	});

	test('control: a reader of "newer than its last" would lose what was open when it left', () => {
		const world = { committed: [1, 2, 3], open: [], size: 1, readers: [{ last: 2, holes: [1] }] };
		const [reader] = play(world);
		const naive = rowsOf([1n, 2n, 3n]).filter(({ tx }) => tx > 2n);
		expect(naive.map(({ id }) => id)).toEqual([30_000n]);
		expect(reader?.unseen).toEqual([10_000n, 30_000n]);
		expect(idsOf(reader?.frames ?? [])).toEqual(reader?.unseen);
	});
});

test('frames are shared by all that need them, and made for no other view', () => {
	const rows = rowsOf([1n, 2n, 3n, 4n, 5n, 6n], 100);
	const made: string[] = [];
	const backlog = createBacklog({
		base: cursorOf(0n),
		upTo: cursorOf(6n),
		rows,
		misses: () => false,
		encode: (batch, open, id) => {
			made.push(id);
			return encode(batch, open, id);
		},
	});
	const ways = [0n, 2n, 3n, 3n].map((last) => backlog.way(cursorOf(last), viewOf()) as Frame[]);
	expect(ways.map((way) => way.map(({ id }) => id))).toEqual([
		['e1-2', 'e1-4', 'e1-6'],
		['e1-4', 'e1-6'],
		['e1-4', 'e1-6'],
		['e1-4', 'e1-6'],
	]);
	expect(idsOf(ways[2] as Frame[])).toEqual(rows.filter(({ tx }) => tx > 3n).map(({ id }) => id));
	// three for everyone, one for those who stand inside the second
	expect(made).toEqual(['e1-2', 'e1-4', 'e1-6', 'e1-4']);
});

test('a transaction larger than a frame may be: the newest rows, and the rest counted for each view', () => {
	const backlog = createBacklog({
		base: cursorOf(0n),
		upTo: cursorOf(1n),
		rows: rowsOf([1n], 1_500),
		misses: () => false,
		encode,
	});
	const [frame] = (backlog.way(cursorOf(0n), viewOf()) ?? []) as Told[];
	const { rows, omitted } = frame?.batch as Batch;
	expect([rows.length, omitted.size, omitted.of(viewOf('even')), rows.at(-1)?.id]).toEqual([
		1_000,
		500,
		250,
		11_499n,
	]);
	expect(PAST_FRAME_EVENTS).toBeLessThan(1_000);
});

test('who is older than what was read, or newer, or misses what was deleted, has no way', () => {
	const backlog = createBacklog({
		base: cursorOf(5n),
		upTo: cursorOf(9n, 7n),
		rows: [],
		misses: ({ last }) => last === 6n,
		encode,
	});
	const has = (cursor: Cursor) => backlog.way(cursor, viewOf()) !== null;
	expect(
		[
			cursorOf(5n),
			cursorOf(8n, 7n),
			cursorOf(6n),
			cursorOf(4n),
			cursorOf(8n, 3n, 7n),
			cursorOf(10n, 7n),
			cursorOf(8n),
			{ ...cursorOf(5n), epoch: 'e2' },
		].map((cursor) => [toId(cursor), has(cursor)]),
	).toEqual([
		['e1-5', true],
		['e1-8.1', true],
		['e1-6', false],
		['e1-4', false],
		['e1-8.1.4', false],
		['e1-a.3', false],
		['e1-8', false],
		['e2-5', false],
	]);
});

describe('what is made for what clients say is kept within a bound', () => {
	const EVENT_BYTES = 500;
	const BOUND = 400_000;

	/** six transactions that were open when readers left at 7, and 8 after them; frames as large as their events */
	function useBacklog(bound = BOUND) {
		const made: string[] = [];
		const backlog = createBacklog({
			base: cursorOf(7n, 1n, 2n, 3n, 4n, 5n, 6n),
			upTo: cursorOf(8n),
			rows: rowsOf([1n, 2n, 3n, 4n, 5n, 6n, 8n], 100),
			misses: () => false,
			encode: (batch, open, id) => {
				made.push(`${open.key} ${id}`);
				const bytes = new Uint8Array(EVENT_BYTES * batch.rows.length);
				return { ...encode(batch, open, id), bytes };
			},
			keptBytes: bound,
		});
		return { backlog, made };
	}
	const sizeOf = (frames: Frame[]) => frames.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
	const subsets = Array.from({ length: 63 }, (_, i) =>
		cursorOf(7n, ...[1n, 2n, 3n, 4n, 5n, 6n].filter((tx) => ((i + 1) >> (Number(tx) - 1)) & 1)),
	);

	test('63 cursors with invented holes: each gets its own, and less than the bound stays', () => {
		const { backlog, made } = useBacklog();
		let given = 0;
		for (const cursor of subsets) {
			const frames = backlog.way(cursor, viewOf()) as Frame[];
			expect(txsOf(frames)).toEqual([...cursor.holes, 8n]);
			expect(backlog.bytes()).toBeLessThanOrEqual(BOUND);
			given += sizeOf(frames.slice(0, -1));
		}
		// control: kept by number, up to 64, all of it would be there
		expect(given).toBeGreaterThan(20 * BOUND);
		const before = made.length;
		const [oldest, newest] = [subsets[0], subsets[62]] as [Cursor, Cursor];
		backlog.way(newest, viewOf());
		expect(made.length).toBe(before);
		expect(txsOf(backlog.way(oldest, viewOf()) as Frame[])).toEqual([1n, 8n]);
		expect(made.length).toBe(before + 1);
	});

	test('a view in use stays, whatever a thousand invented ones ask for', () => {
		const { backlog, made } = useBacklog();
		for (let i = 0; i < 1_000; i++) {
			expect(txsOf(backlog.way(cursorOf(7n), viewOf(`invented ${i}`)) as Frame[])).toEqual([8n]);
			expect(txsOf(backlog.way(cursorOf(7n), viewOf('real')) as Frame[])).toEqual([8n]);
			expect(backlog.bytes()).toBeLessThanOrEqual(BOUND);
		}
		expect(made.filter((one) => one.startsWith('real'))).toEqual(['real e1-8']);
	});

	test('a crowd that stands at one cursor shares the same bytes', () => {
		const { backlog } = useBacklog();
		const all = cursorOf(7n, 1n, 2n, 3n, 4n, 5n, 6n);
		const first = backlog.way(all, viewOf()) as Frame[];
		for (let i = 0; i < 100; i++)
			(backlog.way(all, viewOf()) as Frame[]).forEach((frame, j) =>
				expect(frame.bytes).toBe(first[j]?.bytes),
			);
	});
});
