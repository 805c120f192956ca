/**
 * A drain: reads the rows that the cursor has not seen, visits each one, and cuts them into batches at ends of transactions.
 * Each step is one query, then one synchronous change. A query that fails changes nothing, and the next run resumes there.
 * What throws in the middle of a change leaves the drain unsound: it must not run again, and its owner starts over.
 */
import type { Sql } from '../db/connect';
import { MAX_EVENTS_PER_FRAME } from '../../protocol';
import { advance, isAhead, isWithin, join, sees, type Cursor, type Snapshot } from './cursor';
import { withDeadline } from '../db/deadline';
import type { Row } from './row';
import { CHUNK, readTransaction, readUnseen, type Head } from './rows';
import { StandbyError } from '../db/errors';

type Running = Pick<Snapshot, 'running'>;

/** What clients get for one or more whole transactions. `rows`: the newest, oldest first; `omitted`: all others. */
export type Batch = { cursor: Cursor; rows: Row[]; omitted: Omitted };
/**
 * What a drain did, for others to repeat: `rows` are those that `to` has seen and `from` has not, ascending. True for ever, by whichever
 * process it is said. `rows` null: too many to be carried. `at`: database time in ms.
 */
export type Delta = { from: Cursor; to: Cursor; at: number; rows: readonly Row[] | null };
/** A view, as the drain counts omitted rows for it. */
export type RowTest = { readonly key: string; match(row: Row): boolean };
/** How many rows a frame stands for without carrying them, and how many of them a view shows. */
export type Omitted = { size: number; of(view: RowTest): number };

export type Drain = {
	/** The position up to which everything is delivered. */
	cursor(): Cursor;
	/**
	 * Reads until nothing is unseen. Rejects with a HistoryError when the cursor belongs to another history, with a DeadlineError
	 * when the database is silent, or with its error; the next call resumes there. Not to be called while it runs.
	 */
	run(sql: Sql): Promise<Head>;
	/**
	 * Takes what another drain did, without a query: the rows that are unseen here, if `from` is within this position
	 * (docs/decisions/0027). Not to be called while it runs. @returns false when it does not fit: `run` brings what is missing
	 */
	take(delta: Delta): boolean;
	/** Publishes what was taken since. */
	cut(): void;
	/** False after something threw in the middle of a change: rows may be visited and not published. */
	sound(): boolean;
};

/** The database is not the one, or not the history, that the cursor belongs to: start over. */
export class HistoryError extends Error {
	override name = 'HistoryError';
}

/**
 * Two short index scans: one that takes longer waits for a lock, or for a server that is not there. The driver does
 * not say the latter: it goes on trying to connect.
 */
const STATEMENT_DEADLINE_MS = 3_000;
/** Frames of one drain that omit nothing; a larger backlog goes into the last one, counted. */
export const MAX_FRAMES_PER_DRAIN = 10;

/**
 * @param from the position to begin at
 * @param begin called with the head of every reading statement, before its rows
 * @param views whose omitted rows are counted
 * @param visit called with every row, once, in order, also those that a batch omits
 * @param publish called synchronously, oldest batch first, when exactly the rows up to `batch.cursor` were visited
 */
export function createDrain({
	from,
	views = () => [],
	begin = () => {},
	visit = () => {},
	publish,
}: {
	from: Cursor;
	views?: () => Iterable<RowTest>;
	begin?: (head: Pick<Head, 'at' | 'recount'>) => void;
	visit?: (row: Row) => void;
	publish: (batch: Batch) => void;
}): Drain {
	let cursor = from;
	/** a transaction larger than a chunk, read up to `afterId` */
	let inside: { tx: bigint; afterId: bigint; running: Running } | null = null;
	/** the position before it: pieces carry no head, so whether it was deleted meanwhile shows at the next one */
	let checked = from;
	let rows: Row[] = [];
	let omitted = createOmitted(views);
	let frames = 0;
	let sound = true;

	function change<T>(step: () => T): T {
		sound = false;
		const result = step();
		sound = true;
		return result;
	}

	function take(taken: Row[]) {
		for (const row of taken) {
			visit(row);
			if (row.fault === null) rows.push(row);
			else omitted.add(row);
		}
		if (rows.length <= MAX_EVENTS_PER_FRAME) return;
		for (const row of rows.slice(0, -MAX_EVENTS_PER_FRAME)) omitted.add(row);
		rows = rows.slice(-MAX_EVENTS_PER_FRAME);
	}

	function cut() {
		if (rows.length + omitted.size === 0) return;
		publish({ cursor, rows, omitted });
		rows = [];
		omitted = createOmitted(views);
		frames++;
	}

	async function readInside(sql: Sql, { tx, afterId, running }: NonNullable<typeof inside>) {
		const piece = await withDeadline(
			readTransaction(sql, tx, afterId),
			STATEMENT_DEADLINE_MS,
			'reading a transaction',
		);
		change(() => {
			take(piece);
			const next = piece.at(-1);
			if (next && piece.length === CHUNK) inside = { tx, afterId: next.id, running };
			else {
				inside = null;
				cursor = advance(cursor, running, tx, false);
			}
		});
	}

	async function readNext(sql: Sql): Promise<{ head: Head; complete: boolean }> {
		const read = await withDeadline(
			readUnseen(sql, cursor),
			STATEMENT_DEADLINE_MS,
			'reading events',
		);
		verify(read.head, checked);
		change(() => deliver(read));
		return { head: read.head, complete: !read.full };
	}

	function deliver({ head, rows: read, full }: Awaited<ReturnType<typeof readUnseen>>) {
		begin(head);
		const start = cursor;
		const running = head.snapshot;
		let through: bigint | null = null;
		const groups = byTransaction(read);
		const last = groups.at(-1);
		// the limit may have cut the last transaction: it waits for the next step, or is read in pieces when it fills the chunk
		if (full) groups.pop();
		for (const group of groups) {
			if (rows.length + group.length > MAX_EVENTS_PER_FRAME && frames < MAX_FRAMES_PER_DRAIN - 1) {
				cursor = advance(start, running, through, false);
				cut();
			}
			take(group);
			through = (group[0] as Row).tx;
		}
		cursor = advance(start, running, through, !full);
		checked = cursor;
		if (full && last && groups.length === 0) {
			const { tx, id } = last.at(-1) as Row;
			if (frames < MAX_FRAMES_PER_DRAIN - 1) cut();
			take(last);
			inside = { tx, afterId: id, running };
		}
	}

	return {
		cursor: () => cursor,
		sound: () => sound,
		async run(sql) {
			frames = 0;
			for (;;) {
				if (inside) {
					await readInside(sql, inside);
					continue;
				}
				const { head, complete } = await readNext(sql);
				if (!complete) continue;
				change(cut);
				return head;
			}
		},
		take(delta) {
			const { from, to, at } = delta;
			if (isWithin(to, cursor)) return true;
			if (inside !== null || delta.rows === null || !isWithin(from, cursor)) return false;
			const unseen = delta.rows.filter(({ tx }) => !sees(cursor, tx));
			change(() => {
				begin({ at, recount: false });
				// as `deliver` does: a frame that omits nothing, where that is possible
				if (rows.length + unseen.length > MAX_EVENTS_PER_FRAME) cut();
				take(unseen);
				cursor = checked = join(cursor, to);
			});
			return true;
		},
		cut: () => change(cut),
	};
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

export function isStandby(head: Head): boolean {
	return head.here.split('/')[1] === 'standby';
}

function createOmitted(views: () => Iterable<RowTest>) {
	const counts = new Map<string, number>();
	const omitted = {
		size: 0,
		of: ({ key }: RowTest) => counts.get(key) ?? 0,
		add(row: Row) {
			omitted.size++;
			for (const { key, match } of views())
				if (match(row)) counts.set(key, (counts.get(key) ?? 0) + 1);
		},
	};
	return omitted;
}

/** The same for rows that are at hand. */
export function countOmitted(rows: readonly Row[]): Omitted {
	return { size: rows.length, of: ({ match }) => rows.filter(match).length };
}

/** Rows in ascending order of transactions, by transaction. */
export function byTransaction(rows: readonly Row[]): Row[][] {
	const groups: Row[][] = [];
	for (const row of rows) {
		const group = groups.at(-1);
		if (group && group[0]?.tx === row.tx) group.push(row);
		else groups.push([row]);
	}
	return groups;
}
