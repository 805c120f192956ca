/**
 * The live queries of a process: each view once, however many clients ask for it. A view that is asked for the first time
 * is scanned in short slices, one view at a time. One that is no longer watched is kept for a while, within a bound.
 */
import { DEFAULT_BY } from '../../dimensions';
import { toFilterTexts } from '../../filter';
import { createClauseTables } from './clause-tables';
import type { DimensionRow } from './dimension-values';
import { createRowMatch, toMatchGroups, type MatchGroup } from './match-row';
import { createViewIndex } from './view-index';
import { createView, type View, type ViewSpec } from './view';

export type { ViewSpec };
import type { WindowStore } from './window-store';

/** Everything without a filter: what ticks are made of, and a page without an address of its own shows. */
export const ALL: ViewSpec = { filter: [], by: DEFAULT_BY };

/** One of the views there are. */
export type OpenView = ViewSpec & {
	readonly key: string;
	/** the filter as in an address */
	readonly texts: string[];
	readonly view: View;
	/** The same filter over one event. */
	readonly match: (row: DimensionRow) => boolean;
	/** and over many, for many views at a time */
	readonly groups: readonly MatchGroup[];
	/** work of its scan, ms */
	readonly scanMs: number;
};

export type Views = {
	/** Resolves when the view is complete. Safe to call for one that is open. */
	open(spec: ViewSpec): Promise<OpenView>;
	/** The view, when it is complete. */
	get(key: string): OpenView | undefined;
	all(): Iterable<OpenView>;
	/** It was asked for again: the last to be asked for is the last to be dropped. */
	touch(key: string): void;
	/** Drops views that no client watches, but the KEPT_VIEWS that were asked for last. */
	sweep(isWatched: (key: string) => boolean): void;
	size(): number;
	close(): void;
};

/** A slice of a scan: a tenth of what anybody would notice. */
const SLICE_MS = 4;
/** Views without a client: a page is rendered before its stream comes, and tabs are switched back. */
const KEPT_VIEWS = 32;

/** Equal for views that show the same. */
export function toViewKey({ filter, bound = [], by }: ViewSpec): string {
	return JSON.stringify([toFilterTexts(filter), toFilterTexts(bound), by]);
}

/** @param store what the views are counted from, until `close` */
export function createViews(store: WindowStore): Views {
	const tables = createClauseTables(store);
	const index = createViewIndex(store);
	const complete = new Map<string, OpenView>();
	const opening = new Map<string, Promise<OpenView>>();
	let scanning: Promise<unknown> = Promise.resolve();
	let closed = false;

	async function create(key: string, spec: ViewSpec): Promise<OpenView> {
		const view = createView(store, tables, index, spec);
		let scanMs = 0;
		for (let isDone = false; !closed && !isDone;) {
			const began = performance.now();
			isDone = view.scan(SLICE_MS);
			scanMs += performance.now() - began;
			if (!isDone) await new Promise((resolve) => setImmediate(resolve));
		}
		const texts = toFilterTexts(spec.filter);
		const match = createRowMatch(spec);
		const open = { ...spec, key, texts, view, match, groups: toMatchGroups(spec), scanMs };
		complete.set(key, open);
		opening.delete(key);
		return open;
	}

	function touch(key: string): OpenView | undefined {
		const known = complete.get(key);
		if (!known) return undefined;
		complete.delete(key);
		complete.set(key, known);
		return known;
	}

	return {
		open(spec) {
			const key = toViewKey(spec);
			const known = touch(key);
			if (known) return Promise.resolve(known);
			const made = opening.get(key) ?? scanning.then(() => create(key, spec));
			opening.set(key, made);
			scanning = made.catch(() => {});
			return made;
		},
		get: (key) => complete.get(key),
		all: () => complete.values(),
		touch: (key) => void touch(key),
		sweep(isWatched) {
			const idle = [...complete.values()].filter(({ key }) => !isWatched(key));
			for (const { key, view } of idle.slice(0, -KEPT_VIEWS)) {
				complete.delete(key);
				view.close();
			}
		},
		size: () => complete.size,
		close() {
			closed = true;
			for (const { view } of complete.values()) view.close();
			index.close();
		},
	};
}
