/**
 * What a tick of the windows costs, by events a second. As in the process: a drain advances the time when
 * rows came, at most ten times a second, and a tick every two seconds advances it and reads figures and
 * tables. Beside it a naive version keeps the rows and counts them each time.
 * npm run bench:tick -- [--rates 1,100,1000,10000] [--save]
 */
import { parseArgs } from 'node:util';
import { createAggregator, type WindowRow } from '../src/lib/server/live/windows';
import { COUNT_WINDOW_MS, PAGE_VIEW, SESSION_WINDOW_MS } from '../src/lib/protocol';
import { FRAME_INTERVAL_MS } from '../src/lib/server/reader/drain-loop';
import { median } from './setup/measure';
import { tell } from './report/result';

const { values } = parseArgs({
	options: {
		rates: { type: 'string', default: '1,100,1000,10000' },
		save: { type: 'boolean' },
	},
});
const TICK_MS = 2_000;
const TICKS = 60;
const START = 1_700_000_000_000;
/** The naive one keeps every row as an object: no more than memory allows. */
const NAIVE_ROWS = 2_000_000;
const PATHS = 50;

function toRow(i: number, createdAt: number): WindowRow {
	return {
		name: i % 4 === 0 ? 'signup' : PAGE_VIEW,
		source: `source ${i % 3}`,
		sessionId: `session ${i % 997}`,
		path: `/page/${i % PATHS}`,
		referrer: i % 5 === 0 ? 'search.example' : null,
		createdAt,
	};
}

function measure(rate: number) {
	const aggregator = createAggregator(START);
	const everyMs = 1_000 / rate;
	let made = 0;
	let now = START;
	const took = {
		tick: [] as number[],
		figures: [] as number[],
		drain: [] as number[],
		row: [] as number[],
	};

	/** the rows until `to` are drained: the time is moved, then they are counted */
	function drain(to: number, counted: boolean) {
		const rows: WindowRow[] = [];
		for (let at; (at = START + Math.ceil((made + 1) * everyMs)) <= to; made++)
			rows.push(toRow(made, at));
		if (rows.length === 0) return;
		const begin = performance.now();
		aggregator.advance(to);
		const moved = performance.now();
		for (const row of rows) aggregator.add(row);
		if (!counted) return;
		took.drain.push(moved - begin);
		took.row.push((1_000 * (performance.now() - moved)) / rows.length);
	}

	for (let ticks = 0; now < START + COUNT_WINDOW_MS + TICKS * TICK_MS; ticks++) {
		const counted = now >= START + COUNT_WINDOW_MS;
		// the boundary of a tick falls between two drains
		const boundary = now + TICK_MS;
		for (let to = now + FRAME_INTERVAL_MS / 2; to < boundary; to += FRAME_INTERVAL_MS)
			drain(to, counted);
		now = boundary;
		const begin = performance.now();
		aggregator.advance(now);
		const moved = performance.now();
		aggregator.totals();
		aggregator.tables();
		const end = performance.now();
		if (!counted) continue;
		took.tick.push(end - begin);
		took.figures.push(end - moved);
	}
	return took;
}

function measureNaive(rate: number): number | null {
	const total = Math.round((COUNT_WINDOW_MS * rate) / 1_000);
	if (total > NAIVE_ROWS) return null;
	const rows = Array.from({ length: total }, (_, i) =>
		toRow(i, START + Math.floor((i * COUNT_WINDOW_MS) / total)),
	);
	const now = START + COUNT_WINDOW_MS;
	const took: number[] = [];
	for (let n = 0; n < 5; n++) {
		const begin = performance.now();
		const inside = rows.filter(({ createdAt }) => createdAt > now - COUNT_WINDOW_MS);
		const sessions = new Set(
			inside
				.filter(({ createdAt }) => createdAt > now - SESSION_WINDOW_MS)
				.map(({ sessionId }) => sessionId),
		);
		const counts = new Map<string, number>();
		for (const { name, path } of inside)
			if (name === PAGE_VIEW) counts.set(path as string, (counts.get(path as string) ?? 0) + 1);
		took.push(performance.now() - begin + 0 * (sessions.size + counts.size));
	}
	return median(took);
}

const rates = String(values.rates).split(',').map(Number);
tell({
	name: 'tick',
	title: 'A tick',
	question:
		'The figures and tables every two seconds, over a full half hour of events. What leaves the windows leaves with the drains, ten times a second at most and by the event, as what enters does; a tick moves the time past the rest and reads figures and tables off.',
	tables: [
		{
			caption: `Medians over ${TICKS} ticks`,
			columns: [
				'events/s',
				'rows in the window',
				'a tick ms',
				'of it figures and tables ms',
				'a drain: moving the time ms',
				'adding, µs/event',
				'counted anew from rows, ms',
			],
			rows: rates.map((rate) => {
				const { tick, figures, drain, row } = measure(rate);
				const naive = measureNaive(rate);
				return [
					rate.toLocaleString('en'),
					Math.round((COUNT_WINDOW_MS * rate) / 1_000).toLocaleString('en'),
					median(tick).toFixed(3),
					median(figures).toFixed(3),
					median(drain).toFixed(3),
					median(row).toFixed(3),
					naive === null ? '–' : naive.toFixed(1),
				];
			}),
		},
	],
});
