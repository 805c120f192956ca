/**
 * Commit → frame: how long after an event's COMMIT has returned its frame arrives at a client, over HTTP on loopback; while nothing else
 * happens, and while a thousand others watch and ten events a second come. The writer and the client share this process's
 * clock; the server is `node build` in a process of its own. Beside it, in the same run and interleaved: a bare LISTEN/NOTIFY
 * round on the same Postgres, as the floor.
 *
 * npm run bench:latency -- [--events 150] [--clients 1000] [--rate 10] [--save]   (needs `npm run build` before)
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { followEvents } from './load/follow';
import { startLoad } from './load/load';
import { quantile } from './report/quantile';
import { tell } from './report/result';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		events: { type: 'string', default: '150' },
		clients: { type: 'string', default: '1000' },
		rate: { type: 'string', default: '10' },
		save: { type: 'boolean' },
	},
});
const events = Number(values.events);
const clients = Number(values.clients);
const rate = Number(values.rate);
const PAUSE_MS = 150;

const target = await startTarget();
const stream = `${target.url}/api/dashboard/stream`;
const arrived = new Map<string, (time: number) => void>();
const rung = new Map<string, (time: number) => void>();
const writer = connect(target.databaseUrl, { max: 2 });
const floor = connect(target.databaseUrl, { max: 1 });
const following = followEvents(stream, (eventId) => arrived.get(eventId)?.(performance.now()));

/** ms from the commit's return (0 when the message was faster) to the arrival. */
async function measure(
	waiting: Map<string, (time: number) => void>,
	send: (id: string) => PromiseLike<unknown>,
): Promise<number> {
	const id = crypto.randomUUID();
	const came = new Promise<number>((resolve) => waiting.set(id, resolve));
	await send(id);
	const committed = performance.now();
	const time = await came;
	waiting.delete(id);
	return Math.max(0, time - committed);
}

async function run() {
	const frames: number[] = [];
	const notifications: number[] = [];
	for (let i = 0; i < events; i++) {
		frames.push(
			await measure(
				arrived,
				(id) => writer`insert into nowboard.events (event_id, name) values (${id}, 'bench')`,
			),
		);
		await pause(PAUSE_MS * (0.5 + Math.random()));
		notifications.push(await measure(rung, (id) => writer`select pg_notify('bench_floor', ${id})`));
		await pause(PAUSE_MS * (0.5 + Math.random()));
	}
	return { frames, notifications };
}

try {
	await floor.listen('bench_floor', (payload) => rung.get(payload)?.(performance.now()));
	await pause(1_000);
	const idle = await run();
	const load = startLoad();
	await load.ask('open', { url: stream, count: clients, atOnce: 100, joins: 'state' });
	const going = setInterval(
		() => void writer`insert into nowboard.events (name) values ('other')`.catch(() => {}),
		1_000 / rate,
	);
	const busy = await run();
	clearInterval(going);
	await load.stop();
	const row = (name: string, all: number[]) => [
		name,
		...[0.5, 0.9, 0.99, 1].map((q) => quantile(all, q).toFixed(1)),
	];
	tell({
		name: 'latency',
		title: 'Commit to frame',
		question:
			'From the moment an INSERT has returned (its commit is on disk) to the moment its whole frame is at one client.',
		tables: [
			{
				caption: `${events} events each, one at a time`,
				columns: ['', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
				rows: [
					row('nothing else happens', idle.frames),
					row('bare NOTIFY to LISTEN, meanwhile', idle.notifications),
					row(`${clients.toLocaleString('en')} clients, ${rate} other events/s`, busy.frames),
					row('bare NOTIFY to LISTEN, meanwhile', busy.notifications),
				],
			},
		],
		notes: [
			'Beside other events, one that comes right after another waits for the next frame: 20 ms of rest for each event of the last one.',
		],
	});
	following.stop();
} finally {
	await Promise.all([writer.end({ timeout: 1 }), floor.end({ timeout: 1 })]);
	await target.stop();
}
