/** Records what this process's own drain does between two published positions, so that it can be sent to others. */
import { ascending, sees, type Cursor } from '../reader/cursor';
import type { Delta } from '../reader/drain';
import type { Row } from '../reader/row';

/** Of one delta; a larger one says that every process must read it from Postgres. */
export const MAX_ROWS = 10_000;
export const MAX_BYTES = 8 * 2 ** 20;

export type Recorder = {
	/** The drain starts over at this position. */
	begin(at: Cursor): void;
	saw(row: Row): void;
	/** The position of the last step; null before `begin`. */
	at(): Cursor | null;
	/**
	 * The rows up to `to` were seen, and maybe some of a transaction that `to` has not seen: they are told when it is.
	 * @returns the step since the last call
	 */
	move(to: Cursor, at: number): Delta | null;
};

/** A step of more than MAX_ROWS or MAX_BYTES has no rows. */
export function createRecorder(): Recorder {
	let from: Cursor | null = null;
	let rows: Row[] = [];
	let bytes = 0;
	/** transactions of which rows are missing here, because there were too many */
	let lost = new Set<bigint>();

	function keep(kept: Row[]) {
		rows = kept;
		bytes = kept.reduce((sum, { size }) => sum + size, 0);
	}

	return {
		begin(at) {
			from = at;
			keep([]);
			lost.clear();
		},
		at: () => from,
		saw(row) {
			if (lost.has(row.tx)) return;
			rows.push(row);
			bytes += row.size;
			if (rows.length <= MAX_ROWS && bytes <= MAX_BYTES) return;
			for (const { tx } of rows) lost.add(tx);
			keep([]);
		},
		move(to, at) {
			const isWhole = ![...lost].some((tx) => sees(to, tx));
			const told = rows.filter(({ tx }) => sees(to, tx)).sort((a, b) => ascending(a.tx, b.tx));
			const delta = from && { from, to, at, rows: isWhole ? told : null };
			from = to;
			keep(rows.filter(({ tx }) => !sees(to, tx)));
			lost = new Set([...lost].filter((tx) => !sees(to, tx)));
			return delta;
		},
	};
}
