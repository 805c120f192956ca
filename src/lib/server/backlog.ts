/**
 * What was read once for those who come back: the newest rows up to a position of the bus, cut into frames that all of them
 * share. Each gets the rows that its own cursor has not seen, in frames of its own as far as they differ (its holes, and
 * the rest of the frame it stands in), then the shared ones. Pure, but for the frames it keeps; knows no database.
 */
import { MAX_EVENTS_PER_FRAME } from '../protocol';
import type { Frame } from './bus';
import { advance, isWithin, sees, toId, type Cursor } from './cursor';
import { byTransaction, countOmitted, type Batch } from './drain';
import type { Row } from './rows';
import type { Source } from './state';

/** Events in a frame of the past: small, because the one that a client stands in is encoded anew for it. */
export const PAST_FRAME_EVENTS = 200;
/** Ways that are kept as they are, for those who come back with the same cursor. */
const KEPT_WAYS = 64;

export type Backlog = {
	/** Frames from `cursor` to `upTo`; null when the rows do not reach back to it, or not so far. */
	way(cursor: Cursor, source: Source): Frame[] | null;
};

type Past = Batch & { first: bigint; last: bigint };

/**
 * @param base every row that `upTo` has seen and `base` has not is among `rows`
 * @param rows in ascending order of (tx, id)
 * @param misses whether rows that a cursor has not seen were deleted before they could be read
 * @param encode a batch as an `activity` frame with `id`, for those who look at `source`
 */
export function createBacklog({
	base,
	upTo,
	rows,
	misses,
	encode,
}: {
	base: Cursor;
	upTo: Cursor;
	rows: readonly Row[];
	misses: (cursor: Cursor) => boolean;
	encode: (batch: Batch, source: Source, id: string) => Frame;
}): Backlog {
	const running = { running: upTo.holes };
	const shared = pack(rows.filter(({ tx }) => tx > base.last)).map((past) => ({
		...past,
		cursor: advance({ ...upTo, last: 0n, holes: [] }, running, past.last, true),
	}));
	const encoded = new Map<Source, (Frame | undefined)[]>();
	const ways = new Map<string, Frame[]>();

	function frameOf(index: number, source: Source): Frame {
		const frames = encoded.get(source) ?? [];
		encoded.set(source, frames);
		const batch = shared[index] as Past;
		return (frames[index] ??= encode(batch, source, toId(batch.cursor)));
	}

	/** the frames that only this cursor needs, and the first shared one after them */
	function build(cursor: Cursor, source: Source): Frame[] {
		const found = shared.findIndex(({ last }) => last > cursor.last);
		const start = found === -1 ? shared.length : found;
		const standsIn = shared[start];
		const inside = standsIn && standsIn.first <= cursor.last;
		const own = rows.filter(
			({ tx }) => !sees(cursor, tx) && (tx <= cursor.last || (inside && tx <= standsIn.last)),
		);
		const packs = pack(own);
		const frames = packs.map((past, i) => {
			const at = advance(cursor, running, past.last, i === packs.length - 1);
			return encode({ ...past, cursor: at }, source, toId(at));
		});
		for (let i = inside ? start + 1 : start; i < shared.length; i++)
			frames.push(frameOf(i, source));
		return frames;
	}

	return {
		way(cursor, source) {
			if (!isWithin(base, cursor) || !isWithin(cursor, upTo) || misses(cursor)) return null;
			const key = JSON.stringify([toId(cursor), source]);
			const known = ways.get(key);
			if (known) return known;
			const frames = build(cursor, source);
			if (ways.size >= KEPT_WAYS) ways.delete(ways.keys().next().value as string);
			ways.set(key, frames);
			return frames;
		},
	};
}

/** Whole transactions, as many as fit a frame; one that fits none goes alone, and its oldest rows are counted. */
function pack(rows: readonly Row[]): Omit<Past, 'cursor'>[] {
	const packs: Row[][] = [];
	for (const group of byTransaction(rows)) {
		const open = packs.at(-1);
		if (open && open.length + group.length <= PAST_FRAME_EVENTS) open.push(...group);
		else packs.push([...group]);
	}
	return packs.map((all) => ({
		first: (all[0] as Row).tx,
		last: (all.at(-1) as Row).tx,
		rows: all.slice(-MAX_EVENTS_PER_FRAME),
		omitted: countOmitted(all.slice(0, -MAX_EVENTS_PER_FRAME)),
	}));
}
