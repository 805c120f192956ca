/**
 * A position in the stream: which transactions a reader has seen. Pure; imports nothing.
 * It is a Postgres snapshot cut at `last`, the newest transaction delivered: everything at or below it is seen,
 * but for `holes`, the transactions that were still running. Ids of rows play no part: they are handed out at
 * INSERT and become visible at COMMIT, in another order. Nor is the snapshot kept uncut: after a crash Postgres hands out
 * again transaction ids of which nothing had reached its log, and an uncut snapshot "has seen" those.
 */

export type Cursor = {
	/** which history of which database the numbers belong to */
	epoch: string;
	/** the newest transaction delivered; 0n before the first */
	last: bigint;
	/** transactions below `last` that were running when it was delivered; ascending */
	holes: readonly bigint[];
};

/** `pg_snapshot`: below xmin all ended, from xmax on none, between them all but `running`. */
export type Snapshot = { xmin: bigint; xmax: bigint; running: readonly bigint[] };

/** Longest id written or read, in characters: about 250 transactions open at once. It travels in a header of every reconnect. */
export const MAX_CURSOR_LENGTH = 1_024;

const EPOCH = /^[0-9a-z]{1,32}$/;
const NUMBER = /^(?:0|[1-9a-z][0-9a-z]{0,12})$/;
const SNAPSHOT = /^(\d{1,20}):(\d{1,20}):(\d{1,20}(?:,\d{1,20})*)?$/;
const MAX_XID = 2n ** 64n - 1n;
/** Stands for a position with more holes than fit: resuming from it gives a reset. */
const OVERFLOW = '.';

/**
 * The SSE `id:` of a cursor: `<epoch>-<last>.<hole>.<hole>…`, base 36, each hole as its distance from the number before it.
 * A cursor that would be longer than MAX_CURSOR_LENGTH becomes `<epoch>-.`, which no one can resume from.
 */
export function toId(cursor: Cursor): string {
	const numbers = [cursor.last.toString(36)];
	let previous = cursor.last;
	for (let i = cursor.holes.length - 1; i >= 0; i--) {
		const hole = cursor.holes[i] as bigint;
		numbers.push((previous - hole).toString(36));
		previous = hole;
	}
	const id = `${cursor.epoch}-${numbers.join('.')}`;
	return id.length <= MAX_CURSOR_LENGTH ? id : `${cursor.epoch}-${OVERFLOW}`;
}

export type ParsedCursor = { ok: true; cursor: Cursor } | { ok: false; reason: string };

/** Reads what a client sent as its position. The text is attacker-controlled: whatever `toId` does not write is refused. */
export function parseCursor(text: string): ParsedCursor {
	if (text.length > MAX_CURSOR_LENGTH)
		return refuse(`is ${text.length} characters long, at most ${MAX_CURSOR_LENGTH} are read`);
	const dash = text.indexOf('-');
	const epoch = text.slice(0, Math.max(dash, 0));
	if (!EPOCH.test(epoch)) return refuse('does not begin with an epoch and a dash');
	const rest = text.slice(dash + 1);
	if (rest === OVERFLOW) return refuse('had more open transactions than fit');
	const parts = rest.split('.');
	if (!parts.every((part) => NUMBER.test(part))) return refuse('holds something else than numbers');
	const [last, ...distances] = parts.map(fromBase36) as [bigint, ...bigint[]];
	if (last > MAX_XID) return refuse('is beyond the last possible transaction');
	const holes: bigint[] = [];
	let previous = last;
	for (const distance of distances) {
		previous -= distance;
		if (distance === 0n || previous <= 0n) return refuse('has holes that do not descend');
		holes.unshift(previous);
	}
	return { ok: true, cursor: { epoch, last, holes } };
}

/** Reads `pg_current_snapshot()::text`; throws on anything else, since only Postgres writes it. */
export function parseSnapshot(text: string): Snapshot {
	const match = SNAPSHOT.exec(text);
	if (!match) throw new Error(`not a snapshot: ${JSON.stringify(text)}`);
	const running = match[3] ? match[3].split(',').map(BigInt) : [];
	return { xmin: BigInt(match[1] as string), xmax: BigInt(match[2] as string), running };
}

/** Whether the rows of a transaction lie before this position. */
export function sees(cursor: Cursor, tx: bigint): boolean {
	return tx <= cursor.last && !cursor.holes.includes(tx);
}

/** Whether `other` has seen everything that `cursor` has: who stands at `cursor` is behind `other` in every transaction. */
export function isWithin(cursor: Cursor, other: Cursor): boolean {
	return (
		cursor.epoch === other.epoch &&
		cursor.last <= other.last &&
		other.holes.every((hole) => hole > cursor.last || cursor.holes.includes(hole))
	);
}

/**
 * The position that has seen what all of `cursors` have, and nothing else: from it, one read brings what any of them misses.
 * It is for reading only, not to be written as an id: `last` itself may be one of its holes.
 * @param cursors at least one, all of the same epoch
 */
export function meet(cursors: readonly Cursor[]): Cursor {
	const [first] = cursors;
	if (!first) throw new Error('meet: no cursors');
	const last = cursors.reduce((least, one) => (one.last < least ? one.last : least), first.last);
	const holes = new Set(cursors.flatMap((one) => one.holes.filter((hole) => hole <= last)));
	return { epoch: first.epoch, last, holes: [...holes].sort(ascending) };
}

/** The position that has seen what either has seen, and nothing else. @param a @param b of the same epoch */
export function join(a: Cursor, b: Cursor): Cursor {
	const last = a.last > b.last ? a.last : b.last;
	const holes = [...new Set([...a.holes, ...b.holes])].filter((tx) => !sees(a, tx) && !sees(b, tx));
	return { epoch: a.epoch, last, holes: holes.sort(ascending) };
}

/** A position that this database has not reached: it belongs to another history of it. */
export function isAhead(cursor: Cursor, snapshot: Snapshot): boolean {
	return cursor.last >= snapshot.xmax;
}

/**
 * The position after a drain that read, in `snapshot`, what `cursor` had not seen, in ascending order of transactions.
 * @param through the newest transaction of which every row was delivered; null when nothing was
 * @param complete false when the drain stopped early: unseen rows above `through` remain
 */
export function advance(
	cursor: Cursor,
	snapshot: Pick<Snapshot, 'running'>,
	through: bigint | null,
	complete: boolean,
): Cursor {
	const last = through !== null && through > cursor.last ? through : cursor.last;
	const holes = new Set(snapshot.running.filter((tx) => tx < last));
	if (!complete)
		for (const hole of cursor.holes) if (through === null || hole > through) holes.add(hole);
	return { epoch: cursor.epoch, last, holes: [...holes].sort(ascending) };
}

/** The position of a reader that has taken everything visible in `snapshot`; `last` is the newest transaction among the rows. */
export function atSnapshot(epoch: string, snapshot: Snapshot, last: bigint): Cursor {
	return advance({ epoch, last: 0n, holes: [] }, snapshot, last, true);
}

function refuse(reason: string): ParsedCursor {
	return { ok: false, reason: `the cursor ${reason}` };
}

function fromBase36(text: string): bigint {
	let value = 0n;
	for (const digit of text) value = value * 36n + BigInt(Number.parseInt(digit, 36));
	return value;
}

/** Orders transaction ids, for `sort`. */
export function ascending(a: bigint, b: bigint): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
