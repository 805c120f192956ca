/**
 * The same events through others, in the same run and interleaved: nchan and better-sse (a message for each event), a bare
 * node:http broadcaster, and the tutorials' design, a Next.js route in which each connection polls the database. Ours writes
 * every event to Postgres and reads it back; nchan, better-sse and the bare one are handed it and remember nothing.
 *
 * npm run bench:peers -- [--clients 1000] [--polling 200] [--seconds 10] [--rounds 3] [--save]   (needs `npm run build` before)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLoad } from './load/load';
import { COLUMNS, measure, median, openClients, toRow, type Measured } from './setup/measure';
import { createNumbers } from './setup/numbers';
import { tell } from './report/result';
import {
	PEERS,
	startBetterSse,
	startFloor,
	startNchan,
	startNext,
	startOurs,
	type Server,
} from './setup/servers';

const { values } = parseArgs({
	options: {
		clients: { type: 'string', default: '1000' },
		polling: { type: 'string', default: '200' },
		seconds: { type: 'string', default: '10' },
		rounds: { type: 'string', default: '3' },
		save: { type: 'boolean' },
	},
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const RATE = { times: 100, events: 1 };

async function run(start: () => Promise<Server>, clients: number) {
	const server = await start();
	const load = startLoad();
	try {
		await openClients(load, server, clients);
		const measured = await measure(server, load, createNumbers(), RATE, seconds);
		return { name: server.name, measured };
	} finally {
		await load.stop();
		await server.stop();
	}
}

/** in the order of `starts`, the round with the middle CPU time for each */
async function compare(starts: (() => Promise<Server>)[], clients: number) {
	const all = new Map<string, Measured[]>();
	for (let round = 0; round < rounds; round++)
		for (const start of starts) {
			const { name, measured } = await run(start, clients);
			all.set(name, [...(all.get(name) ?? []), measured]);
		}
	return [...all].map(([name, list]) => {
		const cpu = median(list.map(({ cpuPerEventUs }) => cpuPerEventUs));
		const sorted = [...list].sort((a, b) => a.cpuPerEventUs - b.cpuPerEventUs);
		return { name, cpu, measured: sorted[Math.floor((sorted.length - 1) / 2)] as Measured };
	});
}

const clients = Number(values.clients);
const polling = Number(values.polling);
const pushing = await compare([startOurs, startNchan, startBetterSse, startFloor], clients);
const beside = await compare([startOurs, startNext], polling);
const ourCpu = pushing[0]?.cpu ?? Number.NaN;

const table = (caption: string, all: typeof pushing) => ({
	caption,
	columns: ['', ...COLUMNS],
	rows: all.map(({ name, measured }) => [name, ...toRow(measured)]),
});
tell({
	name: 'peers',
	title: 'Beside others',
	question: `100 events a second, one by one, to ${clients.toLocaleString('en')} clients. Nowboard's come from its Postgres; nchan, better-sse and the bare broadcaster are handed them over HTTP and keep nothing. Every connection of the tutorials' design polls the database every 2 s (Next.js ${nextVersion()}).`,
	tables: [
		table(`Pushed, median of ${rounds} interleaved rounds, ${seconds} s each`, pushing),
		table(`Beside polling, ${polling} clients, the same`, beside),
		{
			caption: 'CPU time of the serving process for each delivered event',
			columns: ['', 'µs', 'Nowboard uses'],
			rows: pushing.map(({ name, cpu }) => [
				name,
				cpu.toFixed(2),
				`1/${(cpu / ourCpu).toFixed(1)}`,
			]),
		},
	],
	notes: [
		'Nowboard puts what happens within 100 ms into one frame; a publisher to the others could do the same, at the price of the delay.',
	],
});

function nextVersion(): string {
	return JSON.parse(readFileSync(join(PEERS, 'node_modules/next/package.json'), 'utf8')).version;
}
