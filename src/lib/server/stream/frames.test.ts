import { expect, test } from 'vitest';
import type { Tick } from '../../protocol';
import { createAggregator } from '../live/windows';
import { createBus, type Frame } from './ring';
import { countOmitted, type Batch } from '../reader/drain';
import { pickFor, toActivity, toActivityOf, toFirstMetrics, toMetrics } from './frames';
import type { Row } from '../reader/row';
import { createState, type State } from '../live/state';
import { toWindowRow } from '../live/window-row';

const START = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const EPOCH = { epoch: 'e1', last: 1n, holes: [] };

const toRow = (id: number, source: string, createdAt = START): Row => ({
	...{
		tx: BigInt(id),
		id: BigInt(id),
		eventId: `event ${id}`,
		name: 'page_view',
		source,
		sessionId: null,
	},
	...{ properties: { path: `/${source}` }, size: 20, createdAt, fault: null },
});
const toBatch = (rows: Row[], omitted: Row[] = []): Batch => ({
	...{ cursor: EPOCH, rows, omitted: countOmitted(omitted) },
});

/** A state that has seen `rows`, and what somebody looks at. */
function show(rows: Row[], sources: string[], turn = sources.length): State {
	const aggregator = createAggregator(START);
	for (const row of rows) aggregator.add(toWindowRow(row));
	const start = { aggregator, cursor: 'e1-1', series: [], previous: null, events: [] };
	const state = createState(start);
	state.settle({ sources, turn });
	const { totals } = state.of(null);
	state.tick({ ...totals, recordedAt: new Date(START).toISOString() } satisfies Tick, null);
	return state;
}
const typed = (n: number) => Array.from({ length: n }, (_, i) => `typed ${i}`);
const toText = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
const sizeOf = (frame: Frame | null) => {
	const bus = createBus();
	if (frame) bus.publish(frame);
	return bus.bytes();
};

test('a thousand sources that nobody sends take no more of the ring than one; (control) each with bytes of its own, they take most of a megabyte', () => {
	const rows = [toRow(1, 'shop'), toRow(2, 'web')];
	const sizes = [1, 1_000].map((n) => {
		const sources = [...typed(n), 'shop'];
		const state = show(rows, sources);
		const frames = [toActivity(toBatch(rows), state, sources, 'e1-2'), toMetrics(state, sources)];
		const naive = { ...state, isEmpty: () => false };
		return {
			frames: frames.map(sizeOf),
			naive: sizeOf(toActivity(toBatch(rows), naive, sources, 'e1-2')),
		};
	});
	expect(sizes[1]?.frames).toEqual(sizes[0]?.frames);
	expect(sizes[1]?.naive).toBeGreaterThan(300_000);
});

test('whoever looks at a source is given what was meant for it alone, whatever is shared', () => {
	const old = START - HOUR_MS;
	const inWindows = [toRow(1, 'shop'), toRow(2, 'web')];
	// beyond the windows, one of them in no frame either: both count as events of this batch
	const [late, counted] = [toRow(3, 'late', old), toRow(4, 'counted', old)];
	const batch = toBatch([...inWindows, late], [counted]);
	const sources = ['typed a', 'shop', 'late', 'typed b', 'counted', 'web', 'typed c'];
	const state = show([...inWindows, late, counted], sources);
	const activity = toActivity(batch, state, sources, 'e1-4');
	const metrics = toMetrics(state, sources) as Frame;
	for (const source of sources) {
		const own = toActivityOf(source, batch, state.of, 'e1-4');
		expect(toText(pickFor(activity, source, 1)), source).toBe(toText(own.bytes));
		const { series, ...first } = JSON.parse(
			/^data: ?(.*)$/m.exec(toText(toFirstMetrics(state.of(source))?.bytes ?? null) ?? '')?.[1] ??
				'',
		) as { series: Tick[] };
		expect(series).toHaveLength(1);
		expect(toText(pickFor(metrics, source, 1)), source).toContain(JSON.stringify(first));
	}
	const [ofLate, ofCounted] = ['late', 'counted'].map((source) =>
		toText(pickFor(activity, source, 1)),
	);
	expect([ofLate, ofCounted]).toEqual([
		expect.stringContaining('"eventId":"event 3"'),
		expect.stringContaining('"omitted":1'),
	]);
});

test('a frame of before somebody looked is nobody’s, also where others looked at what was empty', () => {
	const rows = [toRow(1, 'shop')];
	const before = toActivity(toBatch(rows), show(rows, ['typed'], 1), ['typed'], 'e1-1');
	expect(pickFor(before, 'typed', 1)).not.toBeNull();
	// it has events, and was not encoded
	expect(pickFor(before, 'shop', 2)).toBeNull();
	const after = toActivity(
		toBatch(rows),
		show(rows, ['typed', 'shop'], 2),
		['typed', 'shop'],
		'e1-1',
	);
	expect(toText(pickFor(after, 'shop', 2))).toContain('"eventId":"event 1"');
	// whoever began to look after the figures were made is not in them
	const state = show(rows, ['typed'], 1);
	const metrics = toMetrics(state, ['typed', 'shop']) as Frame;
	expect([pickFor(metrics, 'typed', 1) !== null, pickFor(metrics, 'shop', 2)]).toEqual([
		true,
		null,
	]);
});
