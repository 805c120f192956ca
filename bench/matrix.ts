/**
 * The same updates over Server-Sent Events, WebSocket and polling (every 2 s, every 250 ms), each as small as does the whole job on
 * node:http: delay, bytes, requests, CPU time, lines of code. What the choice of the transport costs, without anything else of ours.
 *
 * npm run bench:matrix -- [--clients 500] [--rate 10] [--seconds 10] [--rounds 3] [--save]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from './setup/measure';
import { cpuMs } from './load/process-usage';
import { tell } from './report/result';
import { installPeers, PEERS, toEvents } from './setup/servers';

const { values } = parseArgs({
	options: {
		clients: { type: 'string', default: '500' },
		rate: { type: 'string', default: '10' },
		seconds: { type: 'string', default: '10' },
		rounds: { type: 'string', default: '3' },
		save: { type: 'boolean' },
	},
});
const clients = Number(values.clients);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const FOLDER = join(PEERS, 'transports');
/** Until all are connected, or have asked twice. */
const SETTLE_MS = 5_000;

type Way = { name: string; file: string; pauseMs?: number };
const WAYS: Way[] = [
	{ name: 'Server-Sent Events', file: 'sse' },
	{ name: 'WebSocket', file: 'websocket' },
	{ name: 'polling, every 2 s', file: 'polling', pauseMs: 2_000 },
	{ name: 'polling, every 250 ms', file: 'polling', pauseMs: 250 },
];
type Outcome = {
	p50: number;
	p99: number;
	delivered: number;
	twice: number;
	bytes: number;
	requests: number;
	cpuMs: number;
};

async function run({ file, pauseMs }: Way): Promise<Outcome> {
	const server = fork(join(FOLDER, 'serve.js'), [file]);
	const [{ port }] = (await once(server, 'message')) as [{ port: number }];
	const pages = fork(join(FOLDER, 'clients.js'), [file]);
	await once(pages, 'message');
	const ask = async <Answer>(child: typeof server, message: object): Promise<Answer> => {
		const answer = once(child, 'message');
		child.send(message);
		return (await answer)[0] as Answer;
	};
	type Usage = { usage: { bytes: number; requests: number } };
	let next = 0;
	const publish = () => server.send({ events: toEvents(next++, 1) });
	try {
		pages.send({ follow: { url: `http://127.0.0.1:${port}/`, count: clients, pauseMs } });
		await pause(SETTLE_MS);
		publish();
		await pause(SETTLE_MS / 2);
		await ask(pages, { report: true });
		const { usage: before } = await ask<Usage>(server, { usage: true });
		const cpu = cpuMs(server.pid as number);
		const started = performance.now();
		for (let i = 0; i < rate * seconds; i++) {
			const due = started + (i * 1_000) / rate - performance.now();
			if (due > 0) await pause(due);
			publish();
		}
		const { usage } = await ask<Usage>(server, { usage: true });
		const cpuTime = cpuMs(server.pid as number) - cpu;
		await pause((pauseMs ?? 0) + 500);
		const told = await ask<Pick<Outcome, 'p50' | 'p99' | 'delivered' | 'twice'>>(pages, {
			report: true,
		});
		return {
			...told,
			bytes: usage.bytes - before.bytes,
			requests: usage.requests - before.requests,
			cpuMs: cpuTime,
		};
	} finally {
		for (const child of [server, pages]) {
			const exited = once(child, 'exit');
			child.disconnect();
			await exited;
		}
	}
}

/** without blank lines and comments */
function countLines(file: string): number {
	return readFileSync(join(FOLDER, file), 'utf8')
		.replace(/\/\*[\s\S]*?\*\//g, '')
		.split('\n')
		.filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
}

installPeers();
const all = WAYS.map((): Outcome[] => []);
for (let round = 0; round < rounds; round++)
	for (const [i, way] of WAYS.entries()) all[i]?.push(await run(way));

const due = clients * rate * seconds;
tell({
	name: 'matrix',
	title: 'Transports',
	question: `${rate} updates a second to ${clients} clients, each transport alone on node:http with the same feed behind it; bytes are those of the sockets, both directions.`,
	tables: [
		{
			caption: `Median of ${rounds} interleaved rounds, ${seconds} s each`,
			columns: [
				'',
				'p50 ms',
				'p99 ms',
				'requests/s',
				'bytes for each update and client',
				'server CPU µs for each',
				'missing',
				'twice',
				'lines on the server',
				'lines on the page',
			],
			rows: WAYS.map(({ name, file }, i) => {
				const of = (key: keyof Outcome) => median((all[i] as Outcome[]).map((one) => one[key]));
				return [
					name,
					of('p50').toFixed(1),
					of('p99').toFixed(1),
					Math.round(of('requests') / seconds),
					Math.round(of('bytes') / due),
					((1_000 * of('cpuMs')) / due).toFixed(1),
					due - of('delivered'),
					of('twice'),
					countLines(`${file}.server.js`),
					countLines(`${file}.client.js`),
				];
			}),
		},
	],
});
