import { TICK_MS } from '../../protocol';

/** A value at a time of the database, in milliseconds. `null` lifts the pen. */
export type Point = { at: number; value: number | null };

/** An unchanged figure is written at least this often (see DESIGN, "Figures"); a longer gap is not known. */
const KNOWN_FOR_MS = 62_000;

/**
 * The line the pen has drawn, oldest first. Ticks are written only when something changed, so between
 * distant ticks the value is held and changes within the last tick before the new one; over a gap in
 * which no tick was written at all the pen is lifted. The last value is carried to `until`.
 */
export function toLine(points: { at: number; value: number }[], until: number): Point[] {
	const line: Point[] = [];
	let last: { at: number; value: number } | undefined;
	for (const point of points) {
		if (last) {
			if (point.at <= last.at) continue;
			const gap = point.at - last.at;
			if (gap > KNOWN_FOR_MS) line.push({ at: last.at + 1, value: null });
			else if (gap > 1.5 * TICK_MS) line.push({ at: point.at - TICK_MS, value: last.value });
		}
		line.push(point);
		last = point;
	}
	if (last && last.at < until) line.push({ at: until, value: last.value });
	return line;
}

const NICE = [2, 4, 6, 8, 10];
/** Below this a chart of whole events would look busier than it is. */
const LEAST_TOP = 4;

/**
 * The top of the value axis: the smallest of 2, 4, 6, 8, 10 × 10ⁿ with a little air above `max`, so that
 * half of it is a whole number. It grows at once, and shrinks only when less than 45 % of it is used:
 * an axis that follows every value shows nothing but itself.
 */
export function toTop(max: number, previous?: number): number {
	const wanted = Math.max(max * 1.08, LEAST_TOP);
	if (previous !== undefined && wanted <= previous && max >= previous * 0.45) return previous;
	const magnitude = 10 ** Math.floor(Math.log10(wanted));
	const step = NICE.find((step) => step * magnitude >= wanted) ?? 10;
	return step * magnitude;
}

/** `toTop` with a memory: one for each chart. */
export function createTop(): (max: number) => number {
	let top: number | undefined;
	return (max) => (top = toTop(max, top));
}

/** Units of the rug's and the fallback's x axis: hundredths of a second are finer than any pixel. */
export const UNIT_MS = 10;

/**
 * One path for all arrivals, in UNIT_MS, `windowMs / UNIT_MS` being `right` (database time).
 * Arrivals within one unit are one tick; a unit is less than a pixel on any screen.
 */
export function toRug(
	arrivals: readonly { at: number }[],
	right: number,
	windowMs: number,
): string {
	const width = windowMs / UNIT_MS;
	const xs = new Set<number>();
	for (const { at } of arrivals) {
		const x = Math.round((at - right) / UNIT_MS) + width;
		// half a window to the right of the edge: the glider shows it when its time has come
		if (x >= -1 && x <= width * 2) xs.add(x);
	}
	let path = '';
	for (const x of xs) path += `M${x} 0V1`;
	return path;
}

/** The line as the points of a `<path>` in a box of `windowMs / UNIT_MS` × 100, for the page before and without JavaScript. */
export function toPath(line: Point[], right: number, windowMs: number, top: number): string {
	const width = windowMs / UNIT_MS;
	let path = '';
	let pen = 'M';
	for (const { at, value } of line) {
		if (value === null) {
			pen = 'M';
			continue;
		}
		const x = width + (at - right) / UNIT_MS;
		path += `${pen}${Math.round(x)} ${(100 - (100 * value) / top).toFixed(2)}`;
		pen = 'L';
	}
	return path;
}

/** What lies between such a path and the foot of its box. */
export function toArea(path: string): string {
	return path.replace(/M(-?\d+) [^M]*/g, (stroke, x: string) => `${stroke}V100H${x}Z`);
}
