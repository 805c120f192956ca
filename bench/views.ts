/**
 * Live queries: what a new view costs, what many views cost that are kept up to date, and what is sent for them.
 * The engine alone is measured in this process; the whole system with viewers, `node build` and Postgres beside it.
 *
 * npm run bench:views -- [--rows 1000000] [--views 200] [--rate 1000] [--seconds 15] [--save]   (needs `npm run build` before)
 */
import { parseArgs } from 'node:util';
import { measureCrowd } from './views/crowd';
import { fill, keepUp, measureReference, scan } from './views/engine';
import { measureFirstScripts, measureFrame } from './views/page';
import { createFilters } from './views/rows';
import { tell } from './report/result';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		rows: { type: 'string', default: '1000000' },
		views: { type: 'string', default: '200' },
		rate: { type: 'string', default: '1000' },
		seconds: { type: 'string', default: '15' },
		save: { type: 'boolean' },
	},
});
const rows = Number(values.rows);
const views = Number(values.views);
const SEED = 15;
const ROUNDS = 9;
const CLAUSES = [0, 1, 2, 3, 6, 12];
const ROWS = [0.05, 0.25, 0.5, 1].map((share) => Math.round(rows * share));
const VIEWS = [1, 50, 100, 200, 400];
const KEPT_EVENTS = 5_000;

const filtersOf = (clauses: number) =>
	clauses === 0
		? Array.from({ length: ROUNDS }, () => [])
		: createFilters(SEED, clauses === 12 ? 3 : ROUNDS, clauses, clauses);
const thousands = (count: number) => count.toLocaleString('en');
const percent = (share: number) => `${Math.round(100 * share)} %`;
const reference = [measureReference()];

const byRows: { rows: number; clauses: number; scans: Awaited<ReturnType<typeof scan>> }[] = [];
let bytesPerRow = 0;
for (const count of ROWS) {
	const filled = fill(count);
	bytesPerRow = filled.bytesPerRow;
	for (const clauses of count === rows ? CLAUSES : [2])
		byRows.push({ rows: count, clauses, scans: await scan(filled.store, filtersOf(clauses)) });
}
const full = byRows.filter((one) => one.rows === rows);
reference.push(measureReference());

const byViews: [views: number, us: number][] = [];
for (const count of VIEWS) byViews.push([count, await keepUp(count, 2, KEPT_EVENTS)]);
reference.push(measureReference());

const target = await startTarget();
const crowds = [];
let frame;
let scripts;
try {
	scripts = await measureFirstScripts(target.url);
	frame = await measureFrame(target);
	for (const count of [1, views])
		crowds.push(
			await measureCrowd(
				target,
				createFilters(SEED, count),
				Number(values.rate),
				Number(values.seconds),
				count,
			),
		);
} finally {
	await target.stop();
}
reference.push(measureReference());

const two = full.find(({ clauses }) => clauses === 2)?.scans;
const crowd = crowds.at(-1);
const toMs = (ms = NaN) => ms.toFixed(0);

tell({
	name: 'views',
	title: 'Live queries',
	question:
		'What filters cost: a new view is scanned from the window in memory, then kept up to date row by row.',
	tables: [
		{
			caption: 'What it must reach, on 2 cores',
			columns: ['', 'measured', 'at most'],
			rows: [
				['first figures of a new view of 2 clauses, CPU ms', toMs(two?.cpuMs), 60],
				[
					'longest slice of the event loop meanwhile, CPU ms',
					toMs(Math.max(...full.map(({ scans }) => scans.longestCpuMs))),
					10,
				],
				[`server CPU, ${views} views`, percent(crowd?.serverShare ?? NaN), '60 %'],
				[`p99 from commit to frame, ${views} views, ms`, toMs(crowd?.delays?.p99), 150],
				['a row of the window, bytes', bytesPerRow.toFixed(0), 160],
				['an activity frame with one event, bytes', thousands(frame), '2,500'],
				['JavaScript of the first view, gzipped bytes', thousands(scripts), '120,000'],
			],
		},
		{
			caption: `First figures of a new view, ${thousands(rows)} rows in the window, four breakdowns, fastest and median of up to ${ROUNDS} different filters; CPU time is the main thread's`,
			columns: [
				'clauses',
				'CPU ms, fastest',
				'CPU ms, median',
				'ms by the clock, median',
				'longest slice, CPU ms',
				'longest slice by the clock, ms',
			],
			rows: full.map(({ clauses, scans }) => [
				clauses,
				scans.fastestCpuMs.toFixed(0),
				scans.cpuMs.toFixed(0),
				scans.wallMs.toFixed(0),
				scans.longestCpuMs.toFixed(1),
				scans.longestMs.toFixed(1),
			]),
		},
		{
			caption: `${values.rate} events/s for ${values.seconds} s, views of 2–3 clauses with one viewer each; delays are from when Postgres wrote the row, just before its commit`,
			columns: [
				'views',
				'server CPU',
				'p50 ms',
				'p99 ms',
				'frames/s for each viewer',
				'bytes/frame',
				'delivered',
				'missing',
				'twice',
				'generator CPU',
			],
			rows: crowds.map((one) => [
				one.views,
				percent(one.serverShare),
				one.delays?.p50.toFixed(0) ?? '–',
				one.delays?.p99.toFixed(0) ?? '–',
				(one.frames / one.seconds / one.views).toFixed(1),
				Math.round(one.bytesPerFrame),
				thousands(one.delivered),
				one.missing,
				one.twice,
				percent(one.generatorShare),
			]),
		},
	],
	plots: [
		{
			title: 'First figures by rows in the window, 2 clauses',
			x: 'rows',
			y: 'CPU ms',
			series: [
				{
					name: 'median',
					points: byRows
						.filter(({ clauses }) => clauses === 2)
						.map((one): [number, number] => [one.rows, one.scans.cpuMs]),
				},
			],
		},
		{
			title: `First figures by clauses, ${thousands(rows)} rows`,
			x: 'clauses',
			y: 'CPU ms',
			series: [
				{
					name: 'median',
					points: full.map((one): [number, number] => [one.clauses, one.scans.cpuMs]),
				},
			],
		},
		{
			title: 'An event entering and leaving the window, by views of 2 clauses',
			x: 'views',
			y: 'CPU µs',
			series: [{ name: 'engine', points: byViews }],
		},
	],
	notes: [
		`A fixed loop of ${thousands(1e7)} multiplications took ${reference.map((ms) => ms.toFixed(0)).join(', ')} ms of CPU time between the parts: how fast the machine was meanwhile.`,
	],
});
