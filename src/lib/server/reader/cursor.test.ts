import fc from '../../../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import {
	advance,
	atSnapshot,
	isAhead,
	MAX_CURSOR_LENGTH,
	parseCursor,
	parseSnapshot,
	sees,
	toId,
	type Cursor,
} from './cursor';

const cursorOf = (last: bigint, ...holes: bigint[]): Cursor => ({ epoch: 'e1', last, holes });

const cursors = fc
	.record({
		last: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
		distances: fc.array(fc.bigInt({ min: 1n, max: 5_000n }), { maxLength: 40 }),
	})
	.map(({ last, distances }) => {
		const holes: bigint[] = [];
		let next = last;
		for (const distance of distances) {
			next -= distance;
			if (next <= 0n) break;
			holes.unshift(next);
		}
		return cursorOf(last, ...holes);
	});

describe('the id of a cursor', () => {
	test.each([
		[cursorOf(0n), 'e1-0'],
		[cursorOf(36n), 'e1-10'],
		[cursorOf(1000n, 998n), 'e1-rs.2'],
		[cursorOf(1000n, 900n, 998n), 'e1-rs.2.2q'],
		[cursorOf(2n ** 64n - 1n), 'e1-3w5e11264sgsf'],
	])('%o is written %s', (cursor, id) => {
		expect(toId(cursor)).toBe(id);
		expect(parseCursor(id)).toEqual({ ok: true, cursor });
	});

	test('any cursor comes back from its id', () => {
		fc.assert(
			fc.property(cursors, (cursor) => {
				expect(parseCursor(toId(cursor))).toEqual({ ok: true, cursor });
				expect(toId(cursor)).toMatch(/^[0-9A-Za-z.-]+$/);
			}),
		);
	});

	test('with more holes than fit no client can resume from it', () => {
		const holes = Array.from({ length: 600 }, (_, i) => BigInt(i * 2 + 1));
		const id = toId(cursorOf(10_000n, ...holes));
		expect(id).toBe('e1-.');
		expect(parseCursor(id)).toEqual({
			ok: false,
			reason: 'the cursor had more open transactions than fit',
		});
	});

	test.each([
		'',
		'-',
		'-1',
		'e1',
		'e1-',
		'e1-01',
		'e1-1.',
		'e1-.1',
		'e1-1..2',
		'e1-1.1',
		'e1-5.0',
		'e1-5.6',
		'E1-5',
		'e1-5A',
		'e1--5',
		'e1-5-3',
		' e1-5',
		'e1-5\n',
		'e1-5\0',
		'é-5',
		'e1-3w5e11264sgsg',
		`e1-${'z'.repeat(14)}`,
		`e1-${'1.'.repeat(MAX_CURSOR_LENGTH)}1`,
		`${'e'.repeat(33)}-1`,
	])('%j is refused with a reason', (text) => {
		const parsed = parseCursor(text);
		expect(parsed.ok).toBe(false);
		expect(parsed.ok || parsed.reason).toMatch(/^the cursor /);
	});

	test('what is accepted is exactly what is written', () => {
		const text = fc.oneof(
			fc.string({ unit: fc.constantFrom(...'e109az.-A \n') }),
			fc.string({ maxLength: 30 }),
			cursors.map(toId),
		);
		fc.assert(
			fc.property(text, (text) => {
				const parsed = parseCursor(text);
				if (parsed.ok) expect(toId(parsed.cursor)).toBe(text);
			}),
			{ numRuns: 5_000 },
		);
	});
});

test('a snapshot is read as Postgres writes it', () => {
	expect(parseSnapshot('10:20:')).toEqual({ xmin: 10n, xmax: 20n, running: [] });
	expect(parseSnapshot('10:20:10,15')).toEqual({ xmin: 10n, xmax: 20n, running: [10n, 15n] });
	expect(() => parseSnapshot('10:20')).toThrow('not a snapshot: "10:20"');
});

test('a cursor is ahead of a database that has not handed out its transaction', () => {
	const snapshot = { xmin: 10n, xmax: 20n, running: [] };
	expect(isAhead(cursorOf(19n), snapshot)).toBe(false);
	expect(isAhead(cursorOf(20n), snapshot)).toBe(true);
});

describe('advancing', () => {
	const snapshot = { xmin: 10n, xmax: 30n, running: [12n, 25n] };

	test('a cursor stands still while nothing is delivered, but forgets holes that ended', () => {
		expect(advance(cursorOf(20n, 11n, 12n), snapshot, null, true)).toEqual(cursorOf(20n, 12n));
	});
	test('it is cut at the newest transaction delivered, not at the end of the snapshot', () => {
		expect(advance(cursorOf(5n), snapshot, 22n, true)).toEqual(cursorOf(22n, 12n));
	});
	test('stopped early inside the holes, the rest of them stay unseen', () => {
		expect(advance(cursorOf(20n, 11n, 15n, 16n), snapshot, 15n, false)).toEqual(
			cursorOf(20n, 12n, 16n),
		);
	});
	test('a reader that took everything sees all but what is running', () => {
		expect(atSnapshot('e1', snapshot, 27n)).toEqual(cursorOf(27n, 12n, 25n));
	});
});

/**
 * A model of Postgres: transactions begin in order, commit or abort in any, and some write rows. A reader that drains at
 * arbitrary times, with arbitrary limits, must deliver each committed transaction exactly once.
 */
describe('against a model of concurrent transactions', () => {
	type Action = { do: 'begin' | 'commit' | 'abort' | 'drain'; pick: number; writes: boolean };
	const actions = fc.array(
		fc.record<Action>({
			do: fc.constantFrom('begin', 'begin', 'commit', 'abort', 'drain'),
			pick: fc.nat({ max: 9 }),
			writes: fc.boolean(),
		}),
		{ maxLength: 80 },
	);

	type Reader = (
		committed: bigint[],
		snapshot: { xmin: bigint; xmax: bigint; running: bigint[] },
		limit: number,
	) => bigint[];

	/** @returns transactions delivered, and committed */
	function play(script: Action[], reader: Reader) {
		let next = 3n;
		const running: bigint[] = [];
		const writing = new Set<bigint>();
		const committed: bigint[] = [];
		const delivered: bigint[] = [];
		const drain = (limit: number) => {
			const snapshot = { xmin: running[0] ?? next, xmax: next, running: [...running] };
			delivered.push(...reader(committed, snapshot, limit));
		};
		for (const action of script) {
			const index = action.pick % Math.max(running.length, 1);
			const tx = running[index];
			if (action.do === 'begin') {
				if (action.writes) writing.add(next);
				running.push(next++);
			} else if (action.do === 'drain') drain(1 + (action.pick % 4));
			else if (tx !== undefined) {
				running.splice(index, 1);
				if (action.do === 'commit' && writing.has(tx)) committed.push(tx);
			}
		}
		for (let i = 0; i <= script.length; i++) drain(4);
		return { delivered: delivered.sort(), committed: committed.sort() };
	}

	function byCursor(): Reader {
		let cursor = cursorOf(0n);
		return (committed, snapshot, limit) => {
			const unseen = committed.filter((tx) => !sees(cursor, tx)).sort((a, b) => (a < b ? -1 : 1));
			const taken = unseen.slice(0, limit);
			cursor = advance(cursor, snapshot, taken.at(-1) ?? null, taken.length === unseen.length);
			const again = parseCursor(toId(cursor));
			if (again.ok) cursor = again.cursor;
			return taken;
		};
	}

	test('every committed transaction is delivered once', () => {
		fc.assert(
			fc.property(actions, (script) => {
				const { delivered, committed } = play(script, byCursor());
				expect(delivered).toEqual(committed);
			}),
			{ numRuns: 3_000 },
		);
	});

	test('control: a reader of "newer than the last" loses some', () => {
		const naive = (): Reader => {
			let last = 0n;
			return (committed) => {
				const taken = committed.filter((tx) => tx > last);
				for (const tx of taken) if (tx > last) last = tx;
				return taken;
			};
		};
		const step = (action: Action['do'], pick = 0): Action => ({ do: action, pick, writes: true });
		// the younger of two commits first, and is delivered; then the older commits
		const script = [step('begin'), step('begin'), step('commit', 1), step('drain'), step('commit')];
		expect(play(script, naive())).toEqual({ delivered: [4n], committed: [3n, 4n] });
		expect(play(script, byCursor())).toEqual({ delivered: [3n, 4n], committed: [3n, 4n] });
	});
});
