/** Records what this process's own drain does between two published positions, so that it can be sent to others. */
import type { Cursor } from '../reader/cursor';
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
	/** Exactly the rows up to `to` were seen. @returns the step since the last call */
	move(to: Cursor, at: number): Delta | null;
};

/** A step of more than MAX_ROWS or MAX_BYTES has no rows. */
export function createRecorder(): Recorder {
	let from: Cursor | null = null;
	let rows: Row[] = [];
	let bytes = 0;
	let whole = true;

	function clear() {
		rows = [];
		bytes = 0;
		whole = true;
	}

	return {
		begin(at) {
			from = at;
			clear();
		},
		at: () => from,
		saw(row) {
			if (!whole) return;
			rows.push(row);
			bytes += row.size;
			if (rows.length <= MAX_ROWS && bytes <= MAX_BYTES) return;
			rows = [];
			whole = false;
		},
		move(to, at) {
			const delta = from && { from, to, at, rows: whole ? rows : null };
			from = to;
			clear();
			return delta;
		},
	};
}
