import { expect, test } from 'vitest';
import fc from '../../../../tests/setup/fast-check';
import { join, type Cursor } from '../reader/cursor';
import type { Row } from '../reader/row';
import { createRecorder, MAX_ROWS, type Recorder } from './recorder';

const START: Cursor = { epoch: 'e', last: 0n, holes: [] };
const TXS = 6;

const text = { name: 'n', source: 's', sessionId: null, eventId: '', fault: null, context: null };
const toRow = (tx: bigint, id: bigint): Row => ({
	...{ tx, id, createdAt: 0, size: 0, properties: {} },
	...text,
});

/** Transactions are read in part and seen to their end in any order, as a drain does with large ones. */
function play(recorder: Recorder, steps: readonly { tx: number; ends: boolean }[]) {
	recorder.begin(START);
	let position = START;
	let id = 0n;
	const visited = new Map<bigint, bigint[]>();
	const ended = new Set<bigint>();
	for (const { tx: number, ends } of steps) {
		const tx = BigInt(number);
		if (ended.has(tx)) continue;
		recorder.saw(toRow(tx, ++id));
		visited.set(tx, [...(visited.get(tx) ?? []), id]);
		if (!ends) continue;
		ended.add(tx);
		const others = Array.from({ length: number - 1 }, (_, i) => BigInt(i + 1));
		position = join(position, { epoch: 'e', last: tx, holes: others });
		const delta = recorder.move(position, 0);
		expect(delta?.rows?.map((row) => row.id)).toEqual(visited.get(tx));
	}
}

const steps = fc.array(fc.record({ tx: fc.integer({ min: 1, max: TXS }), ends: fc.boolean() }), {
	maxLength: 40,
});

test('rows are told with the position that has seen their transaction, not before and not twice', () => {
	fc.assert(fc.property(steps, (all) => play(createRecorder(), all)));
});

test('(control) a recorder that tells every row at once fails', () => {
	let rows: Row[] = [];
	const naive: Recorder = {
		...createRecorder(),
		saw: (row) => void rows.push(row),
		move(to, at) {
			const told = rows;
			rows = [];
			return { from: START, to, at, rows: told };
		},
	};
	expect(fc.check(fc.property(steps, (all) => play(naive, all))).failed).toBe(true);
});

test('too many rows are missing in the step that sees them, and in no other', () => {
	const recorder = createRecorder();
	recorder.begin(START);
	for (let i = 0; i <= MAX_ROWS; i++) recorder.saw(toRow(1n, BigInt(i)));
	recorder.saw(toRow(2n, 90_000n));
	const beside = recorder.move({ epoch: 'e', last: 2n, holes: [1n] }, 0);
	expect(beside?.rows?.map(({ tx }) => tx)).toEqual([2n]);
	recorder.saw(toRow(1n, 90_001n));
	expect(recorder.move({ epoch: 'e', last: 2n, holes: [] }, 0)?.rows).toBe(null);
	recorder.saw(toRow(3n, 90_002n));
	expect(recorder.move({ epoch: 'e', last: 3n, holes: [] }, 0)?.rows).toHaveLength(1);
});
