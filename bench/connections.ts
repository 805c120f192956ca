/**
 * Connections that are open and wait: what one costs in memory, in the process and in the kernel, how fast they are accepted, and
 * how many one process holds; then one event, which all of them must get.
 *
 * npm run bench:connections -- [--clients 15000] [--step 5000] [--save]   (needs `npm run build` before)
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLoad } from './load/load';
import { createNumbers, insertNumbers } from './setup/numbers';
import { rssBytes } from './load/process-usage';
import { tell } from './report/result';
import { startTarget } from './setup/target';
import { connect } from '../src/lib/server/db/connect';

const { values } = parseArgs({
	options: {
		clients: { type: 'string', default: '15000' },
		step: { type: 'string', default: '5000' },
		save: { type: 'boolean' },
	},
});
const step = Number(values.step);
const SETTLE_MS = 5_000;
const PAGE_BYTES = 4_096;

/** what all sockets of the machine hold in the kernel, bytes */
function kernelBytes(): number {
	const text = readFileSync('/proc/net/sockstat', 'utf8');
	return Number(/TCP:.* mem (\d+)/.exec(text)?.[1] ?? Number.NaN) * PAGE_BYTES;
}

const target = await startTarget();
const load = startLoad();
const sql = connect(target.databaseUrl, { max: 1 });
try {
	const numbers = createNumbers();
	const openMore = (count: number) =>
		load.ask('open', {
			url: `${target.url}/api/dashboard/stream`,
			count,
			atOnce: 100,
			joins: 'state',
		});
	const look = async () => {
		await pause(SETTLE_MS);
		// twice: what the first one frees, the second gives back
		await target.probe();
		await pause(1_000);
		const { heapUsed } = await target.probe();
		return { heap: heapUsed, rss: rssBytes(target.pid), kernel: kernelBytes() };
	};
	// what a crowd brings into being stays (V8's young generation grows with it): it is no connection's cost
	await openMore(step);
	await load.ask('close', null);
	const first = await look();
	const rows: (string | number)[][] = [];
	const points: [number, number][] = [];
	let open = 0;
	let failures = 0;
	while (open < Number(values.clients)) {
		const count = Math.min(step, Number(values.clients) - open);
		const { failed, ms } = await openMore(count);
		open += count - failed;
		failures += failed;
		const now = await look();
		const each = (key: 'heap' | 'rss' | 'kernel') =>
			((now[key] - first[key]) / open / 1_024).toFixed(1);
		const number = numbers.take(1);
		await load.ask('begin', null);
		await insertNumbers(sql, number, 1);
		await load.ask('until', { upTo: number, withinMs: 30_000 });
		const { missing, delays } = await load.ask('report', { from: number, to: number + 1 });
		rows.push([
			open.toLocaleString('en'),
			failed,
			Math.round((count / ms) * 1_000).toLocaleString('en'),
			(now.rss / 2 ** 20).toFixed(0),
			each('rss'),
			each('heap'),
			each('kernel'),
			missing,
			delays?.p99.toFixed(0) ?? '–',
		]);
		points.push([open, now.rss / 2 ** 20]);
		console.log(rows.at(-1)?.join('  '));
		if (failed > 0) break;
	}
	tell({
		name: 'connections',
		title: 'Connections',
		question: `Clients that are connected while nothing happens: what each costs, after a garbage collection, beyond a process that has had ${step.toLocaleString('en')} before and has none now; then one event for all.`,
		tables: [
			{
				caption: 'Open streams of one process',
				columns: [
					'open',
					'failed',
					'accepted/s',
					'resident MiB',
					'KB resident each',
					'of it heap',
					'KB in the kernel each, both ends',
					'missed the event',
					'event at p99 ms',
				],
				rows,
			},
		],
		plots: [
			{
				title: 'Resident memory by open connections',
				x: 'open connections',
				y: 'MiB',
				series: [{ name: 'server', points: [[0, first.rss / 2 ** 20], ...points] }],
			},
		],
		notes: [`${failures} connections failed.`],
	});
} finally {
	await load.stop();
	await sql.end({ timeout: 1 });
	await target.stop();
}
