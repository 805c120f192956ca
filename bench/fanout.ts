/**
 * Many clients and many events: how many deliveries a second, at which delay, for how much CPU time. Beside it, in the same
 * run, the bare node:http floor with frames of the same size at the same pace: what the framework and the guarantee cost.
 *
 * npm run bench:fanout -- [--seconds 10] [--rounds 3] [--save]   (needs `npm run build` before)
 */
import { parseArgs } from 'node:util';
import { startLoad } from './load/load';
import {
	COLUMNS,
	measure,
	median,
	openClients,
	toRow,
	type Measured,
	type Rate,
} from './setup/measure';
import { createNumbers } from './setup/numbers';
import { tell } from './report/result';
import { startFloor, startOurs, type Server } from './setup/servers';

const { values } = parseArgs({
	options: {
		seconds: { type: 'string', default: '10' },
		rounds: { type: 'string', default: '3' },
		save: { type: 'boolean' },
	},
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);

const each = (times: number, events: number): Rate => ({ times, events });
const RUNS: [clients: number, rates: Rate[]][] = [
	[1_000, [each(10, 1), each(100, 1), each(100, 3), each(100, 5), each(100, 10)]],
	[5_000, [each(2, 1)]],
	[10, [each(100, 1)]],
	[100, [each(100, 1), each(100, 10)]],
];

/** @returns for each rate the measurement of each round, all with the same clients */
async function run(
	start: () => Promise<Server>,
	clients: number,
	rates: Rate[],
	rounds: number,
): Promise<Measured[][]> {
	const server = await start();
	const load = startLoad();
	try {
		const numbers = createNumbers();
		await openClients(load, server, clients);
		const all: Measured[][] = rates.map(() => []);
		for (let round = 0; round < rounds; round++)
			for (const [i, rate] of rates.entries())
				all[i]?.push(await measure(server, load, numbers, rate, seconds));
		return all;
	} finally {
		await load.stop();
		await server.stop();
	}
}

/** the round whose p99 is the middle one */
function middle(all: Measured[]): Measured {
	const sorted = [...all].sort((a, b) => (a.delays?.p99 ?? 0) - (b.delays?.p99 ?? 0));
	return sorted[Math.floor((sorted.length - 1) / 2)] as Measured;
}

const ours: Measured[] = [];
for (const [clients, rates] of RUNS)
	ours.push(...(await run(startOurs, clients, rates, rounds)).map(middle));

// the floor gets frames as large and as frequent as ours are at this rate
const pairs: { ours: Measured[]; floor: Measured[] } = { ours: [], floor: [] };
for (let round = 0; round < rounds; round++) {
	pairs.ours.push(...(await run(startOurs, 1_000, [each(100, 1)], 1)).flat());
	pairs.floor.push(...(await run(startFloor, 1_000, [each(10, 10)], 1)).flat());
}
const perFrame = (all: Measured[]) => median(all.map(({ cpuPerFrameUs }) => cpuPerFrameUs));

/** points of a plot: events a second at so many clients */
const of = (clients: number, value: (one: Measured) => number) =>
	ours
		.filter((one) => one.clients === clients)
		.map((one): [number, number] => [one.rate, value(one)]);

tell({
	name: 'fanout',
	title: 'Fan-out',
	question:
		'How many deliveries a second, at which delay and for how much CPU time. While busy there is one frame every 100 ms at most.',
	tables: [
		{
			caption: `Nowboard, median round of ${rounds}, ${seconds} s each`,
			columns: COLUMNS,
			rows: ours.map(toRow),
		},
		{
			caption: `CPU time for each frame, ten events in a frame, 1,000 clients: beside a bare node:http broadcaster of the same bytes, ${rounds} interleaved rounds`,
			columns: ['', 'CPU µs/frame', 'frames/s', 'generator CPU'],
			rows: (['ours', 'floor'] as const).map((name) => [
				name === 'ours' ? 'Nowboard' : 'bare node:http',
				perFrame(pairs[name]).toFixed(1),
				Math.round(median(pairs[name].map(({ frames, seconds }) => frames / seconds))),
				`${Math.round(100 * median(pairs[name].map(({ generatorShare }) => generatorShare)))} %`,
			]),
		},
	],
	plots: [
		{
			title: '1,000 clients: CPU time for each delivered event',
			x: 'events a second',
			y: 'µs',
			logX: true,
			logY: true,
			series: [{ name: 'server', points: of(1_000, ({ cpuPerEventUs }) => cpuPerEventUs) }],
		},
		{
			title: '1,000 clients: delay',
			x: 'events a second',
			y: 'ms',
			logX: true,
			series: [
				{ name: 'p50', points: of(1_000, ({ delays }) => delays?.p50 ?? NaN) },
				{ name: 'p99', points: of(1_000, ({ delays }) => delays?.p99 ?? NaN) },
			],
		},
		{
			title: '100 events a second: what the database is asked, by clients',
			x: 'clients',
			y: 'transactions a second',
			logX: true,
			series: [
				{
					name: 'besides the INSERTs',
					points: ours
						.filter(({ rate }) => rate === 100)
						.map(({ clients, transactionsPerS }): [number, number] => [
							clients,
							transactionsPerS ?? NaN,
						])
						.sort(([a], [b]) => a - b),
				},
			],
		},
	],
	notes: [
		`CPU per frame is ${(perFrame(pairs.ours) / perFrame(pairs.floor)).toFixed(2)} times the floor's.`,
	],
});
