/**
 * All clients lose their connection in the same moment, and come back as our store does (0.7 to 1 s later, with their cursor), while events go
 * on; and all clients are sent to a process that was just started and has nothing in memory. Until all have caught up.
 *
 * npm run bench:storm -- [--clients 5000] [--rate 10] [--rounds 3] [--save]   (needs `npm run build` before)
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { startLoad } from './load/load';
import type { Caught } from './load/worker';
import { median } from './setup/measure';
import { createNumbers, insertNumbers } from './setup/numbers';
import { tell } from './report/result';
import { provideDatabase, startTarget, type Target } from './setup/target';

const { values } = parseArgs({
	options: {
		clients: { type: 'string', default: '5000' },
		rate: { type: 'string', default: '10' },
		rounds: { type: 'string', default: '3' },
		save: { type: 'boolean' },
	},
});
const clients = Number(values.clients);
const MIN_MS = 700;
const SPREAD_MS = 300;
const WITHIN_MS = 60_000;
/** What comes while they are away. */
const MISSED = 100;

type Outcome = Caught & { missing: number; twice: number; resets: number };
const database = await provideDatabase();
const lasting = { ...database, stop: async () => {} };
const sql = connect(database.url, { max: 2 });
let target = await startTarget(lasting);
const load = startLoad();
const numbers = createNumbers();
/** processes whose clients have gone elsewhere */
const leaving: Target[] = [];
const insert = (count: number) => insertNumbers(sql, numbers.take(count), count);
const streamOf = () => `${target.url}/api/dashboard/stream`;

async function storm(between: () => Promise<void>): Promise<Outcome> {
	await insert(1);
	await load.ask('until', { upTo: numbers.next() - 1, withinMs: WITHIN_MS });
	await load.ask('begin', null);
	const from = numbers.next();
	// what they miss is known beforehand, so that "caught up" has a meaning while more comes
	await between();
	const storming = load.ask('storm', {
		url: streamOf(),
		minMs: MIN_MS,
		spreadMs: SPREAD_MS,
		upTo: from + MISSED - 1,
		withinMs: WITHIN_MS,
	});
	await pause(100);
	for (let i = 0; i < MISSED / 10; i++) await insert(10);
	const going = setInterval(() => void insert(1).catch(() => {}), 1_000 / Number(values.rate));
	const caught = await storming;
	clearInterval(going);
	await pause(500);
	await load.ask('until', { upTo: numbers.next() - 1, withinMs: WITHIN_MS });
	const report = await load.ask('report', { from, to: numbers.next() });
	return { ...caught, ...report };
}

try {
	await load.ask('open', { url: streamOf(), count: clients, atOnce: 100, joins: 'state' });
	const dropped: Outcome[] = [];
	const restarted: Outcome[] = [];
	for (let round = 0; round < Number(values.rounds); round++) {
		dropped.push(await storm(async () => {}));
		restarted.push(
			await storm(async () => {
				leaving.push(target);
				target = await startTarget(lasting);
			}),
		);
		for (const old of leaving.splice(0)) await old.stop();
	}
	const row = (name: string, all: Outcome[]) => [
		name,
		median(all.map(({ p50 }) => p50)).toFixed(0),
		median(all.map(({ max }) => max)).toFixed(0),
		Math.max(...all.map(({ max }) => max)).toFixed(0),
		...(['late', 'failed', 'missing', 'twice', 'resets'] as const).map((key) =>
			all.reduce((sum, one) => sum + one[key], 0),
		),
	];
	tell({
		name: 'storm',
		title: 'All at once',
		question: `${clients.toLocaleString('en')} clients lose their connection in the same moment and come back 0.7 to 1 s later with their cursors; ${MISSED} events come meanwhile, and ${values.rate} a second after that. Times are from the loss until the client has what it missed.`,
		tables: [
			{
				caption: `${values.rounds} rounds each`,
				columns: [
					'',
					'half of them, ms',
					'all, ms',
					'slowest round',
					'not in 60 s',
					'failed connections',
					'missing',
					'twice',
					'resets',
				],
				rows: [
					row('to the same process (from the ring)', dropped),
					row('to a process just started (from the table)', restarted),
				],
			},
		],
	});
} finally {
	await load.stop();
	await target.stop();
	await sql.end({ timeout: 1 });
	await database.stop();
}
