/**
 * The invariant of docs/decisions/0027, on a model of Postgres: whatever messages come, in whatever order and how often, a follower
 * shows the rows that its position has seen, each once.
 */
import fc from '../../../../tests/setup/fast-check';
import { describe, expect, test } from 'vitest';
import { advance, isWithin, join, sees, toId, type Cursor } from '../reader/cursor';
import { createDrain, type Delta } from '../reader/drain';
import type { Row } from '../reader/row';
import { decodeMessage, encodeMessage } from './message';

type Step =
	| { do: 'begin' }
	| { do: 'read for oneself' }
	| { do: 'end'; which: number; rows: number }
	/** a reader reads; a cut leaves newer transactions unread */
	| { do: 'read'; reader: number; cut: number | null }
	/** one of the messages, the newest first, comes to the follower; or it is lost for ever */
	| { do: 'come' | 'lose' | 'foreign'; which: number };

const which = fc.nat(5);
const steps = fc.array(
	fc.oneof(
		{ weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const) }) },
		{
			weight: 3,
			arbitrary: fc.record({ do: fc.constant('end' as const), which, rows: fc.nat(2) }),
		},
		{
			weight: 4,
			arbitrary: fc.record({
				do: fc.constant('read' as const),
				reader: fc.nat(1),
				cut: fc.option(fc.nat(3)),
			}),
		},
		{
			weight: 4,
			arbitrary: fc.record({ do: fc.constantFrom('come' as const, 'lose', 'foreign'), which }),
		},
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('read for oneself' as const) }) },
	),
	{ minLength: 20, maxLength: 120 },
);

/** Commits in another order than numbers are handed out; rolls back when there are no rows. */
function createPostgres() {
	let next = 1n;
	let running: bigint[] = [];
	const rows: Row[] = [];
	return {
		rows,
		begin: () => void running.push(next++),
		end(which: number, count: number) {
			const tx = running[which % Math.max(running.length, 1)];
			if (tx === undefined) return;
			running = running.filter((one) => one !== tx);
			for (let i = 0; i < count; i++) rows.push(toRow(tx, BigInt(rows.length + 1)));
		},
		/** what a drain from there does */
		read(from: Cursor, cut: number | null = null): Delta {
			const unseen = rows.filter(({ tx }) => !sees(from, tx)).sort((a, b) => Number(a.tx - b.tx));
			const txs = [...new Set(unseen.map(({ tx }) => tx))];
			const taken = cut === null ? txs : txs.slice(0, cut);
			const complete = taken.length === txs.length;
			const to = advance(from, { running }, taken.at(-1) ?? null, complete);
			return { from, to, at: 0, rows: unseen.filter(({ tx }) => taken.includes(tx)) };
		},
	};
}

function toRow(tx: bigint, id: bigint): Row {
	const text = { name: 'n', source: 's', sessionId: null, eventId: '', fault: null, context: null };
	return { tx, id, createdAt: 0, size: 0, properties: {}, ...text };
}

const START: Cursor = { epoch: 'e', last: 0n, holes: [] };

type Follower = {
	cursor(): Cursor;
	shown: bigint[];
	take(delta: Delta): boolean;
};

function createFollower(): Follower {
	const shown: bigint[] = [];
	const drain = createDrain({
		from: START,
		publish: ({ rows }) => void shown.push(...rows.map(({ id }) => id)),
	});
	return {
		cursor: drain.cursor,
		shown,
		take(delta) {
			const taken = drain.take(delta);
			drain.cut();
			return taken;
		},
	};
}

/** What others would write. */
function createNaive(rule: 'no fencing' | 'trusts the order'): Follower {
	let cursor = START;
	const shown: bigint[] = [];
	const seen = new Set<string>();
	return {
		cursor: () => cursor,
		shown,
		take(delta) {
			const id = `${toId(delta.from)} ${toId(delta.to)}`;
			if (rule === 'trusts the order' && seen.has(id)) return true;
			seen.add(id);
			shown.push(...(delta.rows ?? []).map((row) => row.id));
			cursor = delta.to;
			return true;
		},
	};
}

/** Throws when the follower shows anything but what its position has seen. */
function play(all: readonly Step[], follower: Follower): void {
	const postgres = createPostgres();
	const readers = [START, START];
	let messages: string[] = [];
	const check = () => {
		const seen = postgres.rows.filter(({ tx }) => sees(follower.cursor(), tx)).map(({ id }) => id);
		expect([...follower.shown].sort()).toEqual(seen.sort());
	};
	for (const step of all) {
		if (step.do === 'begin') postgres.begin();
		else if (step.do === 'end') postgres.end(step.which, step.rows);
		else if (step.do === 'read') {
			const delta = postgres.read(readers[step.reader] ?? START, step.cut);
			readers[step.reader] = delta.to;
			messages.unshift(encodeMessage({ by: 'r', delta }));
		} else if (step.do === 'read for oneself') follower.take(postgres.read(follower.cursor()));
		else if ('which' in step) {
			const text = messages[step.which % Math.max(messages.length, 1)];
			if (text === undefined) continue;
			if (step.do === 'lose') messages = messages.filter((one) => one !== text);
			const delta = decodeMessage(text)?.delta as Delta;
			if (step.do === 'come') follower.take(delta);
			if (step.do === 'foreign') {
				const [from, to] = [delta.from, delta.to].map((one) => ({ ...one, epoch: 'f' })) as [
					Cursor,
					Cursor,
				];
				if (follower.cursor().epoch === 'e') follower.take({ ...delta, from, to });
			}
		}
		check();
	}
	follower.take(postgres.read(follower.cursor()));
	check();
	const last = postgres.read(START);
	expect(isWithin(last.to, follower.cursor())).toBe(true);
}

describe('a follower of messages that are lost, repeated, in any order, of two readers, or of another history', () => {
	test('shows what its position has seen, each row once, after every step', () => {
		fc.assert(
			fc.property(steps, (all) => play(all, createFollower())),
			{ numRuns: 500 },
		);
	});

	test.each(['no fencing', 'trusts the order'] as const)('with %s it does not', (rule) => {
		const found = fc.check(
			fc.property(steps, (all) => play(all, createNaive(rule))),
			{ numRuns: 500 },
		);
		expect(found.failed).toBe(true);
	});

	test('needs no query while nothing is lost: every message of one reader fits', () => {
		fc.assert(
			fc.property(steps, (all) => {
				const postgres = createPostgres();
				const follower = createFollower();
				let reader = START;
				for (const step of all) {
					if (step.do === 'begin') postgres.begin();
					if (step.do === 'end') postgres.end(step.which, step.rows);
					if (step.do !== 'read') continue;
					const delta = postgres.read(reader, step.cut);
					reader = delta.to;
					expect(follower.take(delta)).toBe(true);
					expect(follower.cursor()).toEqual(reader);
				}
			}),
		);
	});
});

test('two positions joined have seen what either has', () => {
	const cursors = fc
		.record({ last: fc.bigInt(0n, 20n), holes: fc.uniqueArray(fc.bigInt(1n, 19n)) })
		.map(({ last, holes }): Cursor => {
			const below = holes.filter((hole) => hole < last).sort((a, b) => Number(a - b));
			return { epoch: 'e', last, holes: below };
		});
	fc.assert(
		fc.property(cursors, cursors, (a, b) => {
			for (let tx = 1n; tx <= 20n; tx++)
				expect(sees(join(a, b), tx)).toBe(sees(a, tx) || sees(b, tx));
		}),
	);
});
