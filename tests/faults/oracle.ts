/**
 * The judge: the committed rows, as the table has them in the end, against the accounts of the clients. Pure.
 * A span from a reset's cursor to a later one must have brought exactly the rows that the later has seen and the earlier
 * has not, or counted them. Where the document promises no reset and no omission, one that came anyway is a fault.
 */
import { MAX_CATCH_UP } from '../../src/lib/server/stream/catch-up';
import { parseCursor, sees, type Cursor } from '../../src/lib/server/reader/cursor';
import { MAX_EVENTS_PER_FRAME } from '../../src/lib/protocol';
import type { Account, Span, Step } from './account';

/** Rows of `events` in ascending order of (tx, id). Bit i of `marks`: the row passes filter i. */
export type Rows = { txs: BigUint64Array; ids: Float64Array; marks: Uint8Array };

export type Verdict = {
	delivered: number;
	omitted: number;
	lost: number;
	twice: number;
	/** rows that no committed transaction has written */
	ghosts: number;
	resets: number;
	/** resets and omissions where none is promised */
	unpromised: string[];
};

export type Oracle = {
	/** @param filter index of the filter that the client follows; null: everything */
	judge(account: Account, filter: number | null): Verdict;
};

/** Memory of the ring is counted in bytes as well: beyond this many rows of this suite a client may have fallen off it. */
const NEAR = MAX_CATCH_UP;

export function createOracle({ txs, ids, marks }: Rows): Oracle {
	const known = new Set(ids);
	const counts = new Map<number | null, Uint32Array>();

	const isFor = (row: number, filter: number | null) =>
		filter === null || (((marks[row] as number) >>> filter) & 1) === 1;

	function prefix(filter: number | null): Uint32Array {
		const made = counts.get(filter);
		if (made) return made;
		const sums = new Uint32Array(txs.length + 1);
		for (let i = 0; i < txs.length; i++)
			sums[i + 1] = (sums[i] as number) + (isFor(i, filter) ? 1 : 0);
		counts.set(filter, sums);
		return sums;
	}

	/** how many rows lie before the first with a transaction of at least `tx` */
	function place(tx: bigint): number {
		let low = 0;
		let high = txs.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((txs[middle] as bigint) < tx) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** rows that a cursor has seen */
	function seen(id: string, filter: number | null): number {
		const { last, holes } = read(id);
		const sums = prefix(filter);
		const of = (from: bigint, to: bigint) =>
			(sums[place(to)] as number) - (sums[place(from)] as number);
		return holes.reduce((sum, hole) => sum - of(hole, hole + 1n), of(0n, last + 1n));
	}

	const between = ({ from, to }: { from: string; to: string }, filter: number | null) =>
		seen(to, filter) - seen(from, filter);

	/** what a client was told once more, or not at all, in a span */
	function weigh(span: Span, filter: number | null) {
		const due = between({ from: span.start, to: span.end }, filter);
		return due - span.delivered - span.omitted;
	}

	function findUnpromised(account: Account): string[] {
		const found: string[] = [];
		for (const { from, to } of account.resets()) {
			if (from === null || read(from).epoch !== read(to).epoch) continue;
			const distance = between({ from, to }, null);
			if (distance < NEAR) found.push(`a reset only ${distance} rows after ${from}`);
		}
		for (const { from, to } of account.omissions() as (Step & { from: string })[]) {
			const rows = between({ from, to }, null);
			if (rows <= MAX_EVENTS_PER_FRAME) found.push(`an omission among ${rows} rows after ${from}`);
		}
		return found;
	}

	/** of the span that is open, each row by its id, unless some were only counted */
	function missing(account: Account, span: Span, filter: number | null): number {
		const [start, end] = [read(span.start), read(span.end)];
		let missing = 0;
		for (let i = place(0n); i < txs.length; i++) {
			const tx = txs[i] as bigint;
			if (!isFor(i, filter)) continue;
			if (sees(start, tx) || !sees(end, tx)) continue;
			if (!account.has(ids[i] as number)) missing++;
		}
		return Math.max(0, missing - span.omitted);
	}

	return {
		judge(account, filter) {
			const verdict: Verdict = {
				delivered: 0,
				omitted: 0,
				lost: 0,
				twice: account.twice(),
				ghosts: 0,
				resets: account.resets().length,
				unpromised: findUnpromised(account),
			};
			const spans = account.spans();
			for (const [i, span] of spans.entries()) {
				verdict.delivered += span.delivered;
				verdict.omitted += span.omitted;
				const short = weigh(span, filter);
				const absent = i === spans.length - 1 ? missing(account, span, filter) : 0;
				verdict.lost += Math.max(short, absent, 0);
				if (short < 0) verdict.twice -= short;
			}
			for (const id of account.shown()) if (!known.has(id)) verdict.ghosts++;
			return verdict;
		},
	};
}

const cursors = new Map<string, Cursor>();

function read(id: string): Cursor {
	const known = cursors.get(id);
	if (known) return known;
	const parsed = parseCursor(id);
	// a position with more open transactions than fit: this suite never has so many
	if (!parsed.ok) throw new Error(parsed.reason);
	cursors.set(id, parsed.cursor);
	return parsed.cursor;
}
