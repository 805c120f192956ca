/**
 * One client that comes back far behind: how long from its request until it has the last of the events it missed, out of the ring in
 * memory and, on a process that was just started, out of the table.
 *
 * npm run bench:replay -- [--events 10000] [--rounds 9] [--save]   (needs `npm run build` before)
 */
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../src/lib/server/db/connect';
import { startLoad } from './load/load';
import { median } from './setup/measure';
import { insertNumbers } from './setup/numbers';
import { tell } from './report/result';
import { provideDatabase, startTarget, type Target } from './setup/target';

const { values } = parseArgs({
	options: {
		events: { type: 'string', default: '10000' },
		rounds: { type: 'string', default: '9' },
		save: { type: 'boolean' },
	},
});
const events = Number(values.events);
const rounds = Number(values.rounds);
const PER_TRANSACTION = 100;
const WITHIN_MS = 20_000;

const database = await provideDatabase();
const lasting = { ...database, stop: async () => {} };
const sql = connect(database.url, { max: 1 });

/** the position of a page that was loaded now */
async function cursorOf(target: Target): Promise<string> {
	const response = await fetch(`${target.url}/api/dashboard/stream?events=activity`);
	let text = '';
	for await (const chunk of response.body ?? []) {
		text += Buffer.from(chunk).toString('latin1');
		const id = /\nid: (\S+)/.exec(text)?.[1];
		if (id) return id;
	}
	throw new Error('the stream ended before its first state');
}

type Replay = { ms: number; frames: number; bytes: number };
async function replay(target: Target, cursor: string): Promise<Replay> {
	const load = startLoad();
	try {
		await load.ask('begin', null);
		const started = performance.now();
		const url = `${target.url}/api/dashboard/stream?events=activity&cursor=${cursor}`;
		const opening = load.ask('open', { url, count: 1, atOnce: 1, joins: 'head' });
		await opening;
		if ((await load.ask('until', { upTo: events - 1, withinMs: WITHIN_MS })) === null)
			throw new Error(`${events} events were not there within ${WITHIN_MS} ms`);
		const ms = performance.now() - started;
		const { missing, twice, omitted, resets, eventFrames, bytes } = await load.ask('report', {
			from: 0,
			to: events,
		});
		if (missing + twice + omitted + resets !== 0)
			throw new Error(
				`missing ${missing}, twice ${twice}, omitted ${omitted}, resets ${resets}: not a replay`,
			);
		return { ms, frames: eventFrames, bytes };
	} finally {
		await load.stop();
	}
}

const results = { ring: [] as Replay[], table: [] as Replay[] };
try {
	let target = await startTarget(lasting);
	const cursor = await cursorOf(target);
	for (let from = 0; from < events; from += PER_TRANSACTION)
		await insertNumbers(sql, from, PER_TRANSACTION);
	await pause(1_000);
	for (let round = 0; round < rounds; round++) results.ring.push(await replay(target, cursor));
	for (let round = 0; round < rounds; round++) {
		await target.stop();
		target = await startTarget(lasting);
		results.table.push(await replay(target, cursor));
	}
	await target.stop();
} finally {
	await sql.end({ timeout: 1 });
	await database.stop();
}
const row = (name: string, all: Replay[]) => [
	name,
	median(all.map(({ ms }) => ms)).toFixed(0),
	Math.max(...all.map(({ ms }) => ms)).toFixed(0),
	all[0]?.frames ?? 0,
	((all[0]?.bytes ?? 0) / 2 ** 20).toFixed(2),
];
tell({
	name: 'replay',
	title: 'Catching up',
	question: `One client that missed ${events.toLocaleString('en')} events: from its request until it has the last of them; connecting is included, nothing omitted, nothing twice.`,
	tables: [
		{
			caption: `${rounds} times each`,
			columns: ['out of', 'median ms', 'slowest ms', 'frames', 'MiB'],
			rows: [
				row('the ring', results.ring),
				row('the table (the process was just started)', results.table),
			],
		},
	],
});
