/** The text of a message comes back as it was, and another shape of what it carries gets another format. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Json, Tick } from '../../protocol';
import type { Cursor } from '../reader/cursor';
import type { Delta } from '../reader/drain';
import type { Row } from '../reader/row';
import { decodeMessage, encodeMessage, FORMAT } from './message';

const START: Cursor = { epoch: 'e', last: 0n, holes: [] };

describe('a message', () => {
	const row: Row = {
		tx: 2n ** 63n,
		id: 2n ** 62n + 1n,
		eventId: '5f0c6f0e-8f0a-4f5e-9d3b-3f1d6c1f2a10',
		name: 'n',
		source: 's',
		sessionId: null,
		userId: 'u-1',
		size: 9,
		createdAt: -Infinity,
		properties: { a: [1, 'x', null], ['__proto__']: { b: '0.1000000000000000055' } },
		fault: 'created_at is infinite',
		context: { country: 'DE' },
	};
	const delta: Delta = { from: START, to: { ...START, last: 9n, holes: [3n] }, at: 5, rows: [row] };

	test('comes back as it was, whatever stands in the row', () => {
		expect(decodeMessage(encodeMessage({ by: 'me', delta }))).toEqual({ by: 'me', delta });
		const large = { ...delta, rows: null };
		const ends = { by: 'me', delta: large, ends: true };
		expect(decodeMessage(encodeMessage(ends))).toEqual(ends);
	});

	test('that is cut short, of something else, or without a position is none', () => {
		const text = encodeMessage({ by: 'me', delta });
		const holes = Array.from({ length: 600 }, (_, i) => BigInt(i * 2 + 1));
		const crowded = { ...delta, to: { epoch: 'e', last: 9_999n, holes } };
		for (const one of [
			'',
			'{}',
			'null',
			'[]',
			text.slice(0, -9),
			text.replace('"at":5', '"at":"x"'),
		])
			expect(decodeMessage(one)).toBeNull();
		expect(decodeMessage(encodeMessage({ by: 'me', delta: crowded }))).toBeNull();
	});
});

/** What format 1 carries. When this no longer compiles, raise FORMAT and write here what the new one carries. */
type Carried = {
	row: {
		tx: bigint;
		id: bigint;
		eventId: string;
		name: string;
		source: string;
		sessionId: string | null;
		userId?: string | null;
		properties: { [key: string]: Json };
		size: number;
		createdAt: number;
		fault: string | null;
		context: Partial<
			Record<'country' | 'device' | 'browser' | 'os' | 'language' | 'host' | 'channel', string>
		> | null;
	};
	tick: {
		pageViews: number;
		activeSessions: number;
		eventsCount: number;
		eventsPerMinute: number;
		recordedAt: string;
		people?: { active: number; idle: number };
	};
};
type Flat<T> = { [Key in keyof T]: T[Key] };

describe('a format', () => {
	// `npm run check` compares the types
	test('has one shape', () => {
		expect(FORMAT).toBe(1);
		expectTypeOf<Row>().toEqualTypeOf<Carried['row']>();
		expectTypeOf<Flat<Tick>>().toEqualTypeOf<Carried['tick']>();
	});

	test('(control) another field, and another type of a field, are another shape', () => {
		expectTypeOf<Flat<Row & { more?: string }>>().not.toEqualTypeOf<Carried['row']>();
		expectTypeOf<Flat<Omit<Row, 'size'> & { size: string }>>().not.toEqualTypeOf<Carried['row']>();
		expectTypeOf<Flat<Omit<Tick, 'people'>>>().not.toEqualTypeOf<Carried['tick']>();
	});
});
