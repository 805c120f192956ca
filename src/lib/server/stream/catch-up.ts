/**
 * Brings a client from its cursor to the ring's head: from the ring, where the cursor is known there, else from one read that
 * all waiting clients share (docs/decisions/0007). One round runs at a time, for all clients that came before it. A client
 * that is ahead of this instance (it comes from another) makes the round begin with a drain. What was read is kept for a while.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../db/connect';
import { createBacklog, type Backlog } from './backlog';
import { RING_BYTES, type Bus, type Frame } from './ring';
import { isWithin, meet, sees, toId, type Cursor } from '../reader/cursor';
import { dropClient } from '../db/renewing-client';
import { withDeadline } from '../db/deadline';
import type { Batch } from '../reader/drain';
import { HistoryError, misses, verify } from '../reader/verify';
import type { Row } from '../reader/row';
import { CHUNK, readMissed, readTransactions, type Head } from '../reader/rows';
import type { Joined } from './client-stream';
import type { OpenView } from '../live/views';

/** A client further behind gets a reset: replaying more would take longer than looking at the whole. */
export const MAX_CATCH_UP = 10_000;
/** The same in bytes of properties: what the ring may hold, may be read again. */
export const MAX_CATCH_UP_BYTES = RING_BYTES;
/** What was read serves clients that come back within this time; a restarted server's clients come within seconds. */
const KEPT_MS = 30_000;
/** Reads that are kept: the second serves clients that the newest does not reach. */
const KEPT = 2;
/** Holes of a round, all cursors together: they are in its statements. Cursors beyond that get a reset. */
const MAX_HOLES = 10_000;
/** A round is followed by a rest as long as itself, so that constant callers get at most half of the time; at most this long. */
const MAX_REST_MS = 1_000;
const STATEMENT_DEADLINE_MS = 3_000;

/**
 * @param force a drain that starts after the call
 * @param published the bus's position as a cursor; in the ring it is the head
 * @param encode a batch for those who look at a source
 * @param isFor whether a frame of the ring was made for them
 * @returns a function that resolves to the way in, or to null when the cursor has no way: a reset is due. Rejects when the database does not answer.
 */
export function createCatchUp({
	bus,
	connect,
	force,
	published,
	encode,
	isFor,
}: {
	bus: Bus;
	connect: () => Sql;
	force: () => Promise<void>;
	published: () => Cursor | null;
	encode: (batch: Batch, open: OpenView, id: string) => Frame;
	isFor: (frame: Frame, open: OpenView) => boolean;
}): (from: Cursor, open: OpenView) => Promise<Joined | null> {
	type Kept = Backlog & { position: number };
	let kept: Kept[] = [];
	let forgetting: ReturnType<typeof setTimeout> | undefined;
	/** what the next round reads for, by id */
	let asked = new Map<string, Cursor>();
	let coming: Promise<void> | null = null;
	/** the round that runs, however it ends; then its rest */
	let running: Promise<unknown> = Promise.resolve();
	let rested: Promise<unknown> = Promise.resolve();

	const areFor = (frames: Frame[], open: OpenView) => frames.every((frame) => isFor(frame, open));

	function fromRing(cursor: Cursor, open: OpenView): Joined | null {
		const place = bus.find(toId(cursor));
		if (place === null) return null;
		const frames = bus.since(place);
		// no client watched the view when they were encoded: they are read again
		return areFor(frames, open) ? { frames, position: bus.head() } : null;
	}

	function fromKept(cursor: Cursor, open: OpenView): Joined | null {
		for (const { way, position } of kept) {
			// the way goes on in the ring
			const isWhole = position >= bus.tail() && areFor(bus.since(position), open);
			const frames = isWhole ? way(cursor, open) : null;
			if (frames) return { frames, position };
		}
		return null;
	}

	/** nothing of another epoch is used: rows of it may have been erased */
	const find = (cursor: Cursor, open: OpenView) =>
		cursor.epoch === published()?.epoch ? (fromRing(cursor, open) ?? fromKept(cursor, open)) : null;

	function keep(one: Kept) {
		kept = [one, ...kept].slice(0, KEPT);
		clearTimeout(forgetting);
		forgetting = setTimeout(() => (kept = []), KEPT_MS);
		forgetting.unref();
	}

	/** Settles as the next round, which reads for this cursor too. */
	function join(cursor: Cursor): Promise<void> {
		asked.set(toId(cursor), cursor);
		// a turn of the event loop later: clients that come together are read for together
		return (coming ??= rested.then(() => nextTurn()).then(begin));
	}

	function begin(): Promise<void> {
		let holes = 0;
		const cursors = [...asked.values()].filter((one) => (holes += one.holes.length) <= MAX_HOLES);
		asked = new Map();
		coming = null;
		const since = performance.now();
		const round = run(cursors);
		running = round.catch(() => {});
		rested = running.then(() =>
			pause(Math.min(performance.now() - since, MAX_REST_MS), undefined, { ref: false }),
		);
		return round;
	}

	/** one drain if any client is ahead, then one read for all */
	async function run(cursors: Cursor[]) {
		const here = published();
		const mine = cursors.filter((one) => one.epoch === here?.epoch);
		if (!here || mine.length === 0) return;
		if (!mine.every((cursor) => isWithin(cursor, here))) await force();
		const upTo = published();
		const position = bus.head();
		if (!upTo) return;
		const behind = mine.filter((cursor) => isWithin(cursor, upTo));
		if (behind.length === 0) return;
		const sql = connect();
		try {
			const { base, rows, head } = await readBacklog(sql, behind, upTo);
			const gone = (cursor: Cursor) => misses(cursor, head);
			keep({ ...createBacklog({ base, upTo, rows, misses: gone, encode }), position });
		} catch (error) {
			// another history: the drain will find out too, and all cursors end
			if (!(error instanceof HistoryError)) throw error;
		} finally {
			dropClient(sql);
		}
	}

	return async (from, open) => {
		// what is being read for others may do
		for (const wait of [() => running, () => join(from)]) {
			const known = find(from, open);
			if (known) return known;
			await wait();
		}
		return find(from, open);
	};
}

/**
 * What any of `cursors` misses up to `upTo`, the newest first as far as the limits allow, in ascending order; `base` is the position from
 * which it is complete: what all of them have seen, or a later one. A client that is far behind must not cost the others what was
 * open when they left, so the rows of all holes are there whatever is cut. `head` is that of the last statement: what was
 * deleted while we read shows in it.
 */
async function readBacklog(
	sql: Sql,
	cursors: readonly Cursor[],
	upTo: Cursor,
): Promise<{ base: Cursor; rows: Row[]; head: Head }> {
	const from = meet(cursors);
	const holes = [...new Set(cursors.flatMap((cursor) => cursor.holes))];
	const ended = holes.filter((hole) => sees(upTo, hole));
	const held = await withDeadline(
		readTransactions(sql, ended, { rows: MAX_CATCH_UP, bytes: MAX_CATCH_UP_BYTES }),
		STATEMENT_DEADLINE_MS,
		'reading what was held back',
	);
	// of what is still open there are no rows to know
	const known = held ? holes : holes.filter((hole) => !sees(upTo, hole));
	/** complete from `last` on, and in the holes before it */
	const toBacklog = (last: bigint, newest: Row[]) => ({
		base: { ...from, last, holes: known.filter((hole) => hole <= last) },
		rows: [...(held ?? []).filter(({ tx }) => tx <= last), ...newest],
	});
	const newestFirst: Row[] = [];
	let bytes = 0;
	for (;;) {
		const before = newestFirst.at(-1) ?? null;
		const { head, rows } = await withDeadline(
			readMissed(sql, from, upTo, before),
			STATEMENT_DEADLINE_MS,
			'reading what was missed',
		);
		verify(head, upTo);
		for (const row of rows) {
			newestFirst.push(row);
			bytes += row.size;
			if (newestFirst.length <= MAX_CATCH_UP && bytes <= MAX_CATCH_UP_BYTES) continue;
			// the transaction that did not fit is not there as a whole
			const whole = newestFirst.filter(({ tx }) => tx > row.tx).reverse();
			return { ...toBacklog(row.tx, whole), head };
		}
		if (rows.length < CHUNK) return { ...toBacklog(from.last, newestFirst.reverse()), head };
	}
}
