/**
 * A drain: reads the rows that the cursor has not seen, visits each one, and cuts them into batches at ends of transactions.
 * A transaction that is larger than one reading is set aside: it counts as running, and is read in pieces between looks for other
 * rows (docs/decisions/0028). Each step is one query, then one synchronous change. A query that fails changes nothing, and the next run resumes there.
 * What throws in the middle of a change leaves the drain unsound: it must not run again, and its owner starts over.
 */
import type { Sql } from '../db/connect';
import { MAX_EVENTS_PER_FRAME } from '../../protocol';
import { advance, ascending, isWithin, join, sees, type Cursor, type Snapshot } from './cursor';
import { withDeadline } from '../db/deadline';
import type { Row } from './row';
import { CHUNK, readTransaction, readUnseen, type Head } from './rows';
import { byTransaction, createTaken, type Omitted, type RowTest, type Taken } from './taken';
import { verify } from './verify';

type Running = Pick<Snapshot, 'running'>;

/**
 * What clients get for one or more whole transactions. `rows`: the newest, oldest first; `omitted`: all others. `isCounting`: rows
 * were visited that `cursor` has not seen, of a transaction that is set aside, so figures cannot be shown.
 */
export type Batch = { cursor: Cursor; rows: Row[]; omitted: Omitted; isCounting?: boolean };
/**
 * What a drain did, for others to repeat: `rows` are those that `to` has seen and `from` has not, ascending. True for ever, by whichever
 * process it is said. `rows` null: too many to be carried. `at`: database time in ms.
 */
export type Delta = { from: Cursor; to: Cursor; at: number; rows: readonly Row[] | null };
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
	/** Rows were visited that the cursor has not seen, or that were not published. */
	ahead(): boolean;
	/** A large transaction is being read, in pieces. */
	counting(): boolean;
	/** False after something threw in the middle of a change: rows may be visited and not published. */
	sound(): boolean;
};

/**
 * Two short index scans: one that takes longer waits for a lock, or for a server that is not there. The driver does
 * not say the latter: it goes on trying to connect.
 */
const STATEMENT_DEADLINE_MS = 3_000;
/** Frames of one look that omit nothing; a larger backlog goes into the last one, counted. */
export const MAX_FRAMES_PER_DRAIN = 10;
/** While a large transaction is read, other rows are looked for so often; looks that take long, a third of the time. */
const LOOK_EVERY_MS = 100;
/** and at least so often, whatever they take */
export const LOOK_WITHIN_MS = 400;
/** Transactions that are set aside at a time: each is a part of the reading statement. */
export const MAX_ASIDE = 8;

/**
 * A transaction that is larger than one reading. `end`: a position that has seen it; `afterId`: where it is read on, null as
 * long as nothing of it was visited; `taken`: what was.
 */
type Large = { tx: bigint; end: Cursor; afterId: bigint | null; taken: Taken };

/**
 * @param from the position to begin at
 * @param begin called with the head of every reading statement, before its rows
 * @param views whose omitted rows are counted
 * @param visit called with every row, once, in order, also those that a batch omits
 * @param publish called synchronously, oldest batch first, when exactly the rows up to `batch.cursor` were visited, and those of
 * transactions that are set aside (`isCounting`)
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
	/** the oldest first: one at a time is read on */
	let large: Large[] = [];
	/** the position of the last head: pieces carry none, so whether they were deleted meanwhile shows at the next one */
	let checked = from;
	let taken = createTaken(views);
	let frames = 0;
	let sound = true;

	function change<T>(step: () => T): T {
		sound = false;
		const result = step();
		sound = true;
		return result;
	}

	function take(rows: readonly Row[], into = taken) {
		for (const row of rows) visit(row);
		into.add(rows);
	}

	/** Transactions that the position has not seen, though this process reads them or has read them in part. */
	const withLarge = (running: Snapshot['running']): Running => ({
		running: [...running, ...large.map(({ tx }) => tx)],
	});

	const isCounting = () => large.some(({ afterId }) => afterId !== null);

	function cut() {
		if (taken.size() === 0) return;
		publish({ cursor, ...taken.batch(), isCounting: isCounting() });
		taken = createTaken(views);
		frames++;
	}

	/** Reads and publishes everything that is unseen, but what is set aside. @returns null when too much is */
	async function look(sql: Sql): Promise<Head | null> {
		frames = 0;
		for (;;) {
			const aside = large.map(({ tx }) => tx).sort(ascending);
			const read = await withDeadline(
				readUnseen(sql, cursor, aside),
				STATEMENT_DEADLINE_MS,
				'reading events',
			);
			verify(read.head, checked);
			const goesOn = change(() => deliver(read));
			if (goesOn) continue;
			change(cut);
			return read.full ? null : read.head;
		}
	}

	/** @returns whether there is more that can be read now */
	function deliver({ head, rows: read, full }: Awaited<ReturnType<typeof readUnseen>>): boolean {
		begin(head);
		const start = cursor;
		const open = withLarge(head.snapshot.running);
		let through: bigint | null = null;
		const groups = byTransaction(read);
		const last = groups.at(-1);
		// the limit may have cut the last transaction: it waits for the next reading, or is set aside when it fills one
		if (full) groups.pop();
		for (const group of groups) {
			const isMore = taken.rows() + group.length > MAX_EVENTS_PER_FRAME;
			if (isMore && frames < MAX_FRAMES_PER_DRAIN - 1) {
				cursor = advance(start, open, through, false);
				cut();
			}
			take(group);
			through = (group[0] as Row).tx;
		}
		cursor = advance(start, open, through, !full);
		checked = cursor;
		if (!full || !last || groups.length > 0) return full;
		if (large.length >= MAX_ASIDE) return false;
		const { tx, id } = last.at(-1) as Row;
		const end = advance(cursor, open, tx, false);
		const one: Large = { tx, end, afterId: null, taken: createTaken(views) };
		// otherwise these rows are read again, so that what goes into a frame before them has its figures
		if (large.length === 0 && taken.size() === 0) {
			one.afterId = id;
			take(last, one.taken);
		}
		large.push(one);
		return true;
	}

	/** Reads on in a large transaction, until `until` or its end. */
	async function readOn(sql: Sql, one: Large, until: number) {
		do {
			const piece = await withDeadline(
				readTransaction(sql, one.tx, one.afterId),
				STATEMENT_DEADLINE_MS,
				'reading a transaction',
			);
			change(() => {
				take(piece, one.taken);
				one.afterId = piece.at(-1)?.id ?? one.afterId;
				if (piece.length === CHUNK) return;
				large = large.filter((other) => other !== one);
				cursor = join(cursor, one.end);
				// the look before has cut all others; the next one finds out whether rows of it were deleted, and cuts it
				taken = one.taken;
			});
		} while (large.includes(one) && performance.now() < until);
	}

	return {
		cursor: () => cursor,
		sound: () => sound,
		ahead: () => taken.size() > 0 || isCounting(),
		counting: isCounting,
		async run(sql) {
			for (;;) {
				const began = performance.now();
				const head = await look(sql);
				const [first] = large;
				if (!first && head) return head;
				const now = performance.now();
				const forMs = Math.min(Math.max(LOOK_EVERY_MS, 2 * (now - began)), LOOK_WITHIN_MS);
				if (first) await readOn(sql, first, head ? now + forMs : Infinity);
			}
		},
		take(delta) {
			const { from, to, at } = delta;
			if (isWithin(to, cursor)) return true;
			if (large.length > 0 || delta.rows === null || !isWithin(from, cursor)) return false;
			const unseen = delta.rows.filter(({ tx }) => !sees(cursor, tx));
			change(() => {
				begin({ at, recount: false });
				// as `deliver` does: a frame that omits nothing, where that is possible
				if (taken.rows() + unseen.length > MAX_EVENTS_PER_FRAME) cut();
				take(unseen);
				cursor = checked = join(cursor, to);
			});
			return true;
		},
		cut: () => change(cut),
	};
}
