/**
 * What a large transaction costs those who watch: single events go on beside it, and each is timed from before its INSERT to its
 * frame; how long it takes until all of the transaction is counted; and the most memory that the server took.
 * Against `node build`, over HTTP on loopback, with a heap of 256 MB.
 *
 * npm run bench:bulk -- [--rows 1000000] [--every 50] [--save]   (needs `npm run build` before)
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { followEvents } from './load/follow';
import { quantile } from './report/quantile';
import { tell } from './report/result';
import { createKinds, insertRows } from './setup/fill';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		rows: { type: 'string', default: '1000000' },
		every: { type: 'string', default: '50' },
		save: { type: 'boolean' },
	},
});
const rows = Number(values.rows);
const everyMs = Number(values.every);
const CALM_MS = 5_000;
const LATE_MS = 10 * 60_000;
const MINUTE_MS = 60_000;

process.env.BENCH_NODE_FLAGS ??= '--max-old-space-size=256';
const target = await startTarget();
try {
	const sql = connect(target.databaseUrl, { max: 2 });
	await createKinds(sql);
	const waiting = new Map<string, () => void>();
	const following = followEvents(`${target.url}/api/dashboard/stream`, (id) => waiting.get(id)?.());
	await following.joined;
	const came = (id: string) => new Promise<void>((resolve) => waiting.set(id, resolve));

	/** delays of single events, until `until` resolves */
	async function watch(until: Promise<unknown>): Promise<number[]> {
		const delays: number[] = [];
		const sent: Promise<unknown>[] = [];
		let going = true;
		void until.then(() => (going = false));
		while (going) {
			const id = randomUUID();
			const since = performance.now();
			sent.push(came(id).then(() => delays.push(performance.now() - since)));
			await sql`insert into nowboard.events (event_id, name) values (${id}, 'beside')`;
			await pause(everyMs);
		}
		await Promise.race([Promise.all(sent), pause(LATE_MS, undefined, { ref: false })]);
		return delays;
	}

	const calm = await watch(pause(CALM_MS));
	const lastId = randomUUID();
	const counted = came(lastId);
	let committedAt = 0;
	let countedMs = 0;
	const began = performance.now();
	const writing = insertRows(sql, rows, 25 * MINUTE_MS, lastId).then(
		() => (committedAt = performance.now()),
	);
	const during = await watch(writing);
	const after = await watch(counted.then(() => (countedMs = performance.now() - committedAt)));
	const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${target.pid}/status`, 'utf8'))?.[1];
	const row = (what: string, delays: number[]) => [
		what,
		delays.length,
		...[0.5, 0.99, 1].map((part) => quantile(delays, part).toFixed(0)),
	];
	tell({
		name: 'bulk',
		title: 'A large transaction',
		question: `${rows.toLocaleString('en')} events in one transaction, while single events go on every ${everyMs} ms, with a heap of 256 MB.`,
		tables: [
			{
				caption: 'Single events beside it, from before the INSERT to the frame',
				columns: ['', 'events', 'median ms', 'p99 ms', 'max ms'],
				rows: [
					row('before', calm),
					row('while it is written', during),
					row('from its commit until it is counted', after),
				],
			},
			{
				caption: 'The transaction itself',
				columns: ['rows', 'written in s', 'commit → counted s', 'rows/s', 'peak memory MiB'],
				rows: [
					[
						rows.toLocaleString('en'),
						((committedAt - began) / 1_000).toFixed(1),
						(countedMs / 1_000).toFixed(1),
						Math.round((1_000 * rows) / countedMs).toLocaleString('en'),
						Math.round(Number(peak) / 1_024),
					],
				],
			},
		],
	});
	following.stop();
	await sql.end({ timeout: 1 });
} finally {
	await target.stop();
}
