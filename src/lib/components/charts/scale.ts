/** What a chart is given, and its numbers as coordinates. Pure. */
/** A value at a time of the database, in milliseconds. `null` is a gap. */
export type Point = { at: number; value: number | null };

/** `ink` has an area below it; `quiet` is the period before; `unfinished` and `resting` are dashed. */
export type ChartLine = { kind: 'ink' | 'quiet' | 'unfinished' | 'resting'; points: Point[] };

/**
 * What the cursor reads between `from` and `to`: `text` is the exact value in words, `title` its time.
 * `end`: the time of the page that a press leads to, ms and in words; null: the page shows it already.
 */
export type Moment = Point & {
	from: number;
	to: number;
	title: string;
	text: string;
	end: { at: number; text: string } | null;
};

/** A label of the time axis. */
export type Mark = { at: number; text: string };

/** Everything a chart draws, for a chart of any figure over any time. */
export type Drawing = {
	/** the left and the right edge, ms */
	from: number;
	to: number;
	/** the value at the top; the bottom is 0 */
	top: number;
	lines: ChartLine[];
	/** in order of time, without holes */
	moments: Moment[];
	marks: Mark[];
};

/** Of the width of a chart on the narrowest phone, 310 px: a character of a label, 6.6 px. */
const CHARACTER = 0.0213;

/** The labels that collide neither with an edge nor with the one below the needle, on any screen. */
export function toClearMarks(
	marks: readonly Mark[],
	{ from, to }: Pick<Drawing, 'from' | 'to'>,
	needle: { at: number; text: string },
): Mark[] {
	const share = (at: number) => (at - from) / (to - from);
	return marks.filter(({ at, text }) => {
		const between = (text.length + needle.text.length + 2) / 2;
		return share(at) > 0.03 && share(needle.at) - share(at) > between * CHARACTER;
	});
}

const NICE = [2, 4, 6, 8, 10];
/** Below this a chart of whole events would look busier than it is. */
const LEAST_TOP = 4;

/**
 * The top of the value axis: the smallest of 2, 4, 6, 8, 10 × 10ⁿ above `max`, so that half of it is a whole number.
 * It grows at once and shrinks when less than 45 % of it is used: an axis that follows every value shows nothing.
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

/** Units of the rug's x axis: hundredths of a second are finer than any pixel. */
export const UNIT_MS = 10;

/** One path for all arrivals, in UNIT_MS; `windowMs / UNIT_MS` is `right`. Arrivals within one unit are one tick. */
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

/** Units of the first drawing's width: finer than any pixel. */
export const WIDTH = 10_000;

/** A line as a `<path>` in a box of WIDTH × 100; a point between two gaps is a dot (with round caps). */
export function toPath(
	line: Point[],
	{ from, to, top }: Pick<Drawing, 'from' | 'to' | 'top'>,
): string {
	let path = '';
	let isDown = false;
	line.forEach(({ at, value }, i) => {
		if (value === null) {
			isDown = false;
			return;
		}
		const x = Math.round((WIDTH * (at - from)) / (to - from));
		const y = (100 - (100 * value) / top).toFixed(2);
		const isAlone = !isDown && (line[i + 1]?.value ?? null) === null;
		path += isDown ? `L${x} ${y}` : `M${x} ${y}${isAlone ? 'h0' : ''}`;
		isDown = true;
	});
	return path;
}

/** What lies between such a path and the foot of its box. */
export function toArea(path: string): string {
	return path.replace(/M(-?\d+) [^M]*/g, (stroke, x: string) => `${stroke}V100H${x}Z`);
}
