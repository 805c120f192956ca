/**
 * How long a process takes to serve figures when so many events lie in its half hour, and the most memory that it took.
 * `node build` with a heap of 256 MB, beside a Postgres as durable as in production.
 *
 * npm run bench:start -- [--rows 1000000,2000000] [--rounds 3] [--folder ../before] [--save]   (needs `npm run build` before)
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { tell } from './report/result';
import { createKinds, insertRows } from './setup/fill';
import { median } from './setup/measure';
import { provideDatabase, startTarget, type Database } from './setup/target';

const { values } = parseArgs({
	options: {
		rows: { type: 'string', default: '1000000,2000000' },
		rounds: { type: 'string', default: '3' },
		// another checkout, started in turns
		folder: { type: 'string' },
		save: { type: 'boolean' },
	},
});
const sizes = values.rows.split(',').map(Number);
const rounds = Number(values.rounds);
const MINUTE_MS = 60_000;
const AT_ONCE = 100_000;

process.env.BENCH_NODE_FLAGS ??= '--max-old-space-size=256';
const provided = await provideDatabase();
/** outlives the servers */
const database: Database = { ...provided, stop: async () => {} };

type Started = { readyMs: number; wholeMs: number; peakMiB: number; events: number };

async function start(folder: string): Promise<Started> {
	const began = performance.now();
	const target = await startTarget(database, {}, folder);
	const readyMs = performance.now() - began;
	try {
		for (;;) {
			const state = await readFigures(target.url);
			if ((state.reach ?? null) === null) {
				const wholeMs = performance.now() - began;
				const status = readFileSync(`/proc/${target.pid}/status`, 'utf8');
				const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
				return { readyMs, wholeMs, peakMiB: peak / 1_024, events: state.totals.eventsCount };
			}
			await pause(50);
		}
	} finally {
		await target.stop();
	}
}

type Figures = { reach?: number | null; totals: { eventsCount: number } };

/** The first state of a stream. */
async function readFigures(url: string): Promise<Figures> {
	const leaving = new AbortController();
	try {
		const { body } = await fetch(`${url}/api/dashboard/stream`, { signal: leaving.signal });
		let text = '';
		for await (const chunk of body ?? []) {
			text += Buffer.from(chunk).toString('utf8');
			const data = /event: reset\n(?:id: .*\n)?data: (.*)\n/.exec(text)?.[1];
			if (data) return JSON.parse(data) as Figures;
		}
		throw new Error('the stream ended before its first state');
	} finally {
		leaving.abort();
	}
}

const lines: (string | number)[][] = [];
try {
	await (await startTarget(database)).stop();
	const sql = connect(database.url, { max: 1 });
	await createKinds(sql);
	let there = 0;
	for (const size of sizes) {
		for (; there < size; there += AT_ONCE)
			await insertRows(sql, Math.min(AT_ONCE, size - there), 28 * MINUTE_MS, randomUUID());
		await sql`vacuum analyze nowboard.events`;
		const folders = values.folder ? [values.folder, '.'] : ['.'];
		const all = folders.map((folder) => ({ folder, starts: [] as Started[] }));
		for (let round = 0; round < rounds; round++)
			for (const { folder, starts } of all) starts.push(await start(folder));
		for (const { folder, starts } of all) {
			const of = (value: (one: Started) => number) => median(starts.map(value));
			const wholeMs = of((one) => one.wholeMs);
			lines.push([
				folder === '.' ? 'now' : 'before',
				size.toLocaleString('en'),
				Math.round(of((one) => one.events)).toLocaleString('en'),
				(of((one) => one.readyMs) / 1_000).toFixed(1),
				(wholeMs / 1_000).toFixed(1),
				Math.round((1_000 * size) / wholeMs).toLocaleString('en'),
				Math.round(of((one) => one.peakMiB)),
			]);
		}
	}
	await sql.end({ timeout: 1 });
} finally {
	await provided.stop();
}

tell({
	name: 'start',
	title: 'Starting with a full half hour',
	question:
		'From the start of the process until it serves figures, and until its tables hold the whole half hour, with a heap of 256 MB.',
	tables: [
		{
			caption: `Medians of ${rounds} starts`,
			columns: [
				'version',
				'rows in the table',
				'events shown',
				'figures after s',
				'whole after s',
				'rows/s',
				'peak memory MiB',
			],
			rows: lines,
		},
	],
});
