/**
 * Commit → frame: how long after an event's COMMIT has returned its frame arrives at a client, over HTTP on loopback.
 * The writer and the client share this process's clock; the server is `node build` in a process of its own.
 * Beside it, in the same run and interleaved: a bare LISTEN/NOTIFY round on the same Postgres, as the floor.
 *
 * npm run bench:latency -- [--events 300] [--pause 40]   (needs `npm run build` before)
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { followEvents } from './follow';
import { quantile } from './quantile';
import { startTarget } from './target';

const { values } = parseArgs({
	options: { events: { type: 'string', default: '300' }, pause: { type: 'string', default: '40' } },
});
const events = Number(values.events);
const pauseMs = Number(values.pause);

const target = await startTarget();
try {
	const arrived = new Map<string, (time: number) => void>();
	const following = followEvents(`${target.url}/api/dashboard/stream`, (eventId) =>
		arrived.get(eventId)?.(performance.now()),
	);
	const writer = connect(target.databaseUrl, { max: 1 });
	const floor = connect(target.databaseUrl, { max: 1 });
	const rung = new Map<string, (time: number) => void>();
	await floor.listen('bench_floor', (payload) => rung.get(payload)?.(performance.now()));
	await pause(1_000);

	const frames: number[] = [];
	const bells: number[] = [];
	for (let i = 0; i < events; i++) {
		frames.push(
			await measure(
				arrived,
				(id) => writer`insert into events (event_id, name) values (${id}, 'bench')`,
			),
		);
		await pause(pauseMs + 110);
		bells.push(await measure(rung, (id) => writer`select pg_notify('bench_floor', ${id})`));
		await pause(pauseMs);
	}
	report('commit → frame at the client', frames);
	report('NOTIFY → LISTEN, bare', bells);
	console.log(`ratio of medians: ${(quantile(frames, 0.5) / quantile(bells, 0.5)).toFixed(1)}`);
	following.stop();
	await Promise.all([writer.end({ timeout: 1 }), floor.end({ timeout: 1 })]);
} finally {
	await target.stop();
}

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

function report(name: string, values: number[]) {
	const line = [0.5, 0.9, 0.99, 1].map(
		(q) => `${q === 1 ? 'max' : `p${q * 100}`} ${quantile(values, q).toFixed(2)} ms`,
	);
	console.log(`${name} (${values.length} events): ${line.join(', ')}`);
	const edges = [1, 2, 3, 5, 7, 10, 15, 25, 50, Number.POSITIVE_INFINITY];
	let from = 0;
	for (const to of edges) {
		const count = values.filter((value) => value >= from && value < to).length;
		if (count > 0) {
			const bar = '█'.repeat(Math.ceil((40 * count) / values.length));
			console.log(
				`  ${String(from).padStart(3)}–${String(to).padEnd(8)} ms ${String(count).padStart(5)} ${bar}`,
			);
		}
		from = to;
	}
}
