/** Whether rows that were read can follow a position: the same history, and none deleted that it has not seen. */
import { StandbyError } from '../db/errors';
import { isAhead, type Cursor } from './cursor';
import type { Head } from './rows';

/** The database is not the one, or not the history, that the cursor belongs to: start over. */
export class HistoryError extends Error {
	override name = 'HistoryError';
}

/** @throws HistoryError or StandbyError when rows read beside `head` cannot follow `cursor` */
export function verify(head: Head, cursor: Cursor): void {
	if (isStandby(head)) throw new StandbyError();
	if (head.identity !== head.here)
		throw new HistoryError(`the database is ${head.here}, the epoch was made for ${head.identity}`);
	if (head.epoch !== cursor.epoch)
		throw new HistoryError(`the epoch is ${head.epoch}, the cursor's is ${cursor.epoch}`);
	if (isAhead(cursor, head.snapshot))
		throw new HistoryError(
			`the cursor stands at transaction ${cursor.last}, the database before ${head.snapshot.xmax}`,
		);
	if (misses(cursor, head))
		throw new HistoryError(
			`rows through transaction ${head.deletedThrough} were deleted, the cursor stands at ${cursor.last}`,
		);
}

/**
 * Whether rows that this cursor has not seen may be deleted. Rows of a transaction that still runs are visible to no deleter.
 * Only the newest deleted transaction is known, so a hole below it counts as deleted.
 */
export function misses(cursor: Cursor, { deletedThrough, snapshot }: Head): boolean {
	if (deletedThrough === null) return false;
	return (
		cursor.last < deletedThrough ||
		cursor.holes.some((hole) => hole <= deletedThrough && !snapshot.running.includes(hole))
	);
}

/** True of rows that were read from a standby, which may be behind. */
export function isStandby(head: Head): boolean {
	return head.here.split('/')[1] === 'standby';
}
