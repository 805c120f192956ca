/**
 * What a tick of the windows costs, by how many events a second there are: moving the time by two seconds, the figures and the
 * tables. Beside it a naive one that keeps the rows and counts them anew, over the same rows.
 *
 * npm run bench:tick -- [--rates 1,100,1000,10000] [--save]
 */
import { parseArgs } from 'node:util';
import { createAggregator, type WindowRow } from '../src/lib/server/aggregate';
import { COUNT_WINDOW_MS, PAGE_VIEW, SESSION_WINDOW_MS } from '../src/lib/protocol';
import { median } from './measure';
import { tell } from './result';

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
	let i = 0;
	const fill = (from: number, to: number, take: (row: WindowRow) => void) => {
		const count = Math.round(((to - from) * rate) / 1_000);
		for (let n = 0; n < count; n++)
			take(toRow(i++, from + 1 + Math.floor((n * (to - from)) / count)));
	};
	let now = START;
	const step = (took?: { tick: number[]; figures: number[]; adding: number[] }) => {
		const rows: WindowRow[] = [];
		fill(now, now + TICK_MS, (row) => rows.push(row));
		now += TICK_MS;
		const begin = performance.now();
		aggregator.advance(now);
		const moved = performance.now();
		for (const row of rows) aggregator.add(row);
		const added = performance.now();
		aggregator.totals();
		aggregator.tables();
		const end = performance.now();
		took?.tick.push(moved - begin + end - added);
		took?.figures.push(end - added);
		took?.adding.push((1_000 * (added - moved)) / Math.max(1, rows.length));
	};
	while (now < START + COUNT_WINDOW_MS) step();
	const took = { tick: [] as number[], figures: [] as number[], adding: [] as number[] };
	for (let n = 0; n < TICKS; n++) step(took);
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
		'The figures and tables every two seconds, over a full half hour of events. The time is moved past what leaves the windows, which costs by the event, as adding does; the figures and tables are read off.',
	tables: [
		{
			caption: `Median of ${TICKS} ticks`,
			columns: [
				'events/s',
				'rows in the window',
				'figures and tables ms',
				'with what leaves ms',
				'µs for each event that leaves',
				'adding, µs/event',
				'counted anew from rows, ms',
			],
			rows: rates.map((rate) => {
				const { tick, figures, adding } = measure(rate);
				const leaving = median(tick) - median(figures);
				const naive = measureNaive(rate);
				return [
					rate.toLocaleString('en'),
					Math.round((COUNT_WINDOW_MS * rate) / 1_000).toLocaleString('en'),
					median(figures).toFixed(3),
					median(tick).toFixed(3),
					((1_000 * leaving) / ((rate * TICK_MS) / 1_000)).toFixed(3),
					median(adding).toFixed(3),
					naive === null ? '–' : naive.toFixed(1),
				];
			}),
		},
	],
});
