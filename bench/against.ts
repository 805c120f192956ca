/**
 * What events and frames cost the server, for viewers without a filter, beside another checkout of the project: in one run, in
 * turns, so that the machine is the same for both.
 *
 * npm run bench:against -- --folder ../before [--seconds 8] [--rounds 5] [--clients 10] [--save]   (needs `npm run build` before, in both)
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { startLoad } from './load/load';
import { tell } from './report/result';
import { measure, median, openClients, type Measured, type Rate } from './setup/measure';
import { createNumbers } from './setup/numbers';
import { startOurs } from './setup/servers';

const { values } = parseArgs({
	options: {
		folder: { type: 'string' },
		seconds: { type: 'string', default: '8' },
		rounds: { type: 'string', default: '5' },
		// of that many clients alone
		clients: { type: 'string' },
		save: { type: 'boolean' },
	},
});
const { folder } = values;
if (!folder) throw new Error('--folder is missing: the checkout to compare with.');
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];

const each = (times: number, events: number): Rate => ({ times, events });
const ALL_RUNS: [clients: number, rates: Rate[]][] = [
	[10, [each(100, 1)]],
	[100, [each(100, 1), each(100, 10)]],
	[1_000, [each(10, 1), each(100, 1), each(100, 10)]],
	[5_000, [each(2, 1)]],
];
const RUNS = ALL_RUNS.filter(([clients]) => !values.clients || clients === Number(values.clients));
const SIDES = { before: folder, after: '.' };
type Side = keyof typeof SIDES;

async function run(side: Side, clients: number, rates: Rate[]): Promise<Measured[]> {
	const server = await startOurs(SIDES[side]);
	const load = startLoad();
	try {
		const numbers = createNumbers();
		await openClients(load, server, clients);
		// until what runs often is compiled
		for (const rate of rates.slice(0, 1)) await measure(server, load, numbers, rate, seconds / 2);
		const all: Measured[] = [];
		for (const rate of rates) all.push(await measure(server, load, numbers, rate, seconds));
		return all;
	} finally {
		await load.stop();
		await server.stop();
	}
}

type Row = { clients: number; rate: number } & Record<Side, Measured[]>;
const rows: Row[] = RUNS.flatMap(([clients, rates]) =>
	rates.map(({ times, events }) => ({ clients, rate: times * events, before: [], after: [] })),
);
for (let round = 0; round < rounds; round++)
	for (const [clients, rates] of RUNS)
		for (const side of round % 2 ? (['after', 'before'] as const) : (['before', 'after'] as const))
			for (const one of await run(side, clients, rates))
				rows.find((row) => row.clients === clients && row.rate === one.rate)?.[side].push(one);

const versionOf = (side: Side) =>
	execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: SIDES[side] }).toString().trim();
const of = (row: Row, side: Side, value: (one: Measured) => number) => median(row[side].map(value));
const perFrame = ({ cpuPerFrameUs }: Measured) => cpuPerFrameUs;
const perEvent = ({ cpuPerEventUs }: Measured) => cpuPerEventUs;
const p99 = ({ delays }: Measured) => delays?.p99 ?? NaN;
const beside = (row: Row, value: (one: Measured) => number, digits: number) => {
	const [before, after] = [of(row, 'before', value), of(row, 'after', value)];
	return [before.toFixed(digits), after.toFixed(digits), (after / before).toFixed(2)];
};

tell({
	name: 'against',
	title: 'Beside an earlier version',
	question: `What events and frames cost viewers without a filter, at ${versionOf('after')} beside ${versionOf('before')}.`,
	tables: [
		{
			caption: `Medians of ${rounds} rounds in turns, ${seconds} s each; CPU time of the server, delays from before the INSERT`,
			columns: [
				'clients × events/s',
				...['µs/frame', 'µs/event', 'p99 ms'].flatMap((what) => [
					`${what}, before`,
					`${what}, after`,
					`${what}, ratio`,
				]),
			],
			rows: rows.map((row) => [
				`${row.clients.toLocaleString('en')} × ${row.rate.toLocaleString('en')}`,
				...beside(row, perFrame, 1),
				...beside(row, perEvent, 2),
				...beside(row, p99, 0),
			]),
		},
	],
});
