/**
 * Which views a row is for. A view is listed under the codes that its narrowest group of clauses lets through, so that
 * a row costs one look-up for each dimension that views are listed by, and the views that it may be in.
 */
import type { Dimension } from '../../dimensions';
import type { ClauseTable, RowTest } from './clause-tables';
import { NONE } from './dictionary';
import type { Codes, Segment } from './segment';
import type { Follower, WindowStore } from './window-store';

export type ViewIndex = {
	/** Calls `follower` for the rows that the test may let through, and for few others. @returns stop */
	add(test: RowTest, follower: Follower): () => void;
	close(): void;
};

const EMPTY: readonly Follower[] = [];

type Entry = { table: ClauseTable; follower: Follower };
/** The views that are listed by one dimension. */
type Axis = {
	column: (segment: Segment) => Codes | undefined;
	entries: Set<Entry>;
	/** by code; made when a row first needs it */
	lists: (readonly Follower[] | undefined)[];
	close(): void;
};

/** @param store gives the values their codes, and tells when a code stands for another value */
export function createViewIndex(store: WindowStore): ViewIndex {
	const axes = new Map<Dimension, Axis>();
	/** of views without a filter */
	const always = new Set<Follower>();

	function createAxis({ dimension, column }: ClauseTable): Axis {
		const axis: Axis = { column, entries: new Set(), lists: [], close: () => {} };
		// a code that is used again stands for another value
		axis.close = store.followCodes(dimension, {
			reset: () => void (axis.lists = []),
			see: (code) => void (axis.lists[code] = undefined),
		});
		axes.set(dimension, axis);
		return axis;
	}

	function listOf({ entries, lists }: Axis, code: number): readonly Follower[] {
		const found: Follower[] = [];
		for (const { table, follower } of entries) if (table.hits[code] === 1) found.push(follower);
		return (lists[code] = found.length > 0 ? found : EMPTY);
	}

	const unfollow = store.follow((crossing, segment, offset) => {
		for (const follower of always) follower(crossing, segment, offset);
		for (const axis of axes.values()) {
			const code = axis.column(segment)?.[offset] ?? NONE;
			const list = axis.lists[code] ?? listOf(axis, code);
			for (let i = 0; i < list.length; i++) (list[i] as Follower)(crossing, segment, offset);
		}
	});

	return {
		add({ narrowest: table }, follower) {
			if (!table) {
				always.add(follower);
				return () => void always.delete(follower);
			}
			const axis = axes.get(table.dimension) ?? createAxis(table);
			const entry = { table, follower };
			axis.entries.add(entry);
			axis.lists = [];
			return () => {
				axis.entries.delete(entry);
				axis.lists = [];
				if (axis.entries.size > 0 || axes.get(table.dimension) !== axis) return;
				axes.delete(table.dimension);
				axis.close();
			};
		},
		close() {
			unfollow();
			for (const axis of axes.values()) axis.close();
		},
	};
}
