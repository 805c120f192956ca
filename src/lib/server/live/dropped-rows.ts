/**
 * Rows of the half hour that are no longer kept distinct: only how many there are, by millisecond, so that
 * the totals of everything stay exact when there are more rows than the store keeps.
 */
import { COUNT_WINDOW_MS } from '../../protocol';

export type DroppedRows = {
	add(time: number, isPageView: boolean): void;
	/** Those with times in (from, to] have left the window. */
	forget(from: number, to: number): void;
	counts(): { events: number; pageViews: number };
};

/** Begins empty; its memory, 14 MiB, is taken with the first row. */
export function createDropped(): DroppedRows {
	let cells: { events: Uint32Array; pageViews: Uint32Array } | null = null;
	let events = 0;
	let pageViews = 0;
	return {
		add(time, isPageView) {
			cells ??= {
				events: new Uint32Array(COUNT_WINDOW_MS),
				pageViews: new Uint32Array(COUNT_WINDOW_MS),
			};
			const cell = time % COUNT_WINDOW_MS;
			cells.events[cell] = (cells.events[cell] as number) + 1;
			events++;
			if (!isPageView) return;
			cells.pageViews[cell] = (cells.pageViews[cell] as number) + 1;
			pageViews++;
		},
		forget(from, to) {
			if (!cells) return;
			for (let time = from + 1; time <= to; time++) {
				const cell = time % COUNT_WINDOW_MS;
				events -= cells.events[cell] as number;
				pageViews -= cells.pageViews[cell] as number;
				cells.events[cell] = 0;
				cells.pageViews[cell] = 0;
			}
			if (events === 0) cells = null;
		},
		counts: () => ({ events, pageViews }),
	};
}
