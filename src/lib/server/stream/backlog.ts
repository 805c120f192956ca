/**
 * What was read once for those who come back: the newest rows up to a position of the bus, cut into frames that all of them
 * share. Each gets the rows that its own cursor has not seen, in frames of its own as far as they differ (its holes, and
 * the rest of the frame it stands in), then the shared ones. Pure, but for the frames it keeps.
 * Clients choose holes and views, so frames made for them are kept within a bound and made again beyond it.
 */
import { LRUCache } from 'lru-cache';
import { MAX_EVENTS_PER_FRAME } from '../../protocol';
import type { OpenView } from '../live/views';
import { RING_BYTES, type Frame } from './ring';
import { advance, isWithin, toId, type Cursor } from '../reader/cursor';
import type { Batch } from '../reader/drain';
import { byTransaction, countOmitted } from '../reader/taken';
import type { Row } from '../reader/row';

/** Events in a frame of the past: small, because the one that a client stands in is encoded again for it. */
export const PAST_FRAME_EVENTS = 200;
/** Frames of views and of single cursors that are kept; a crowd of idle clients shares one cursor. */
export const KEPT_BYTES = 2 * RING_BYTES;
/** What keeping something costs beside its bytes. */
const ENTRY_BYTES = 256;

export type Backlog = {
	/** Frames from `cursor` to `upTo`; null when the rows do not reach back to it, or not so far. */
	way(cursor: Cursor, open: OpenView): Frame[] | null;
	/** of the frames that are kept */
	bytes(): number;
};

type Past = Batch & { first: bigint; last: bigint };

/**
 * @param base every row that `upTo` has seen and `base` has not is among `rows`
 * @param rows in ascending order of (tx, id)
 * @param misses whether rows that a cursor has not seen were deleted before they could be read
 * @param encode a batch as an `activity` frame with `id`, for the view `open`
 * @param keptBytes bound of what is kept for views and single cursors; what was not asked for the longest goes first
 */
export function createBacklog({
	base,
	upTo,
	rows,
	misses,
	encode,
	keptBytes = KEPT_BYTES,
}: {
	base: Cursor;
	upTo: Cursor;
	rows: readonly Row[];
	misses: (cursor: Cursor) => boolean;
	encode: (batch: Batch, open: OpenView, id: string) => Frame;
	keptBytes?: number;
}): Backlog {
	const running = { running: upTo.holes };
	const shared = pack(rows.filter(({ tx }) => tx > base.last)).map((past) => ({
		...past,
		cursor: advance({ ...upTo, last: 0n, holes: [] }, running, past.last, true),
	}));
	const baseHoles = new Set(base.holes);
	const kept = new LRUCache<string, Frame[]>({
		maxSize: keptBytes,
		sizeCalculation: (frames, key) =>
			frames.reduce((sum, { bytes }) => sum + bytes.byteLength, ENTRY_BYTES + key.length),
	});

	function once(key: string, make: () => Frame[]): Frame[] {
		const frames = kept.get(key) ?? make();
		kept.set(key, frames);
		return frames;
	}

	function framesFrom(start: number, open: OpenView): Frame[] {
		const make = () => shared.map((past) => encode(past, open, toId(past.cursor)));
		return once(open.key, make).slice(start);
	}

	/** the shared frame that the cursor stands in, or the first one after it */
	function startOf(cursor: Cursor): { start: number; inside: Past | null } {
		const found = shared.findIndex(({ last }) => last > cursor.last);
		const start = found === -1 ? shared.length : found;
		const past = shared[start];
		return { start, inside: past && past.first <= cursor.last ? past : null };
	}

	/** the frames that only this cursor needs */
	function makeOwn(cursor: Cursor, open: OpenView, inside: Past | null): Frame[] {
		const holes = new Set(cursor.holes);
		const own = rows.filter(({ tx }) =>
			tx <= cursor.last ? holes.has(tx) : inside !== null && tx <= inside.last,
		);
		const packs = pack(own);
		return packs.map((past, i) => {
			const at = advance(cursor, running, past.last, i === packs.length - 1);
			return encode({ ...past, cursor: at }, open, toId(at));
		});
	}

	/** whether everything that `base` has seen the cursor has: a Set, because both may have hundreds of holes and more */
	const isFromHere = ({ epoch, last, holes }: Cursor) =>
		epoch === base.epoch &&
		base.last <= last &&
		holes.every((hole) => hole > base.last || baseHoles.has(hole));

	return {
		way(cursor, open) {
			if (!isFromHere(cursor) || !isWithin(cursor, upTo) || misses(cursor)) return null;
			const { start, inside } = startOf(cursor);
			const key = JSON.stringify([toId(cursor), open.key]);
			const own = once(key, () => makeOwn(cursor, open, inside));
			return [...own, ...framesFrom(inside ? start + 1 : start, open)];
		},
		bytes: () => kept.calculatedSize,
	};
}

/** Whole transactions, as many as fit a frame; one that fits none goes alone, and its oldest rows are counted, as are rows with a fault. */
function pack(rows: readonly Row[]): Omit<Past, 'cursor'>[] {
	const packs: Row[][] = [];
	for (const group of byTransaction(rows)) {
		const open = packs.at(-1);
		if (open && open.length + group.length <= PAST_FRAME_EVENTS) open.push(...group);
		else packs.push([...group]);
	}
	return packs.map((all) => {
		const shown = all.filter(({ fault }) => fault === null);
		const faulty = all.filter(({ fault }) => fault !== null);
		return {
			first: (all[0] as Row).tx,
			last: (all.at(-1) as Row).tx,
			rows: shown.slice(-MAX_EVENTS_PER_FRAME),
			omitted: countOmitted([...faulty, ...shown.slice(0, -MAX_EVENTS_PER_FRAME)]),
		};
	});
}
