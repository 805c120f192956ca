/**
 * How long a process takes from its start until it serves figures, with so many events in the half hour; and the most memory
 * that it took. `node build` with a heap of 256 MB, on a Postgres that is warm.
 *
 * npm run bench:start -- [--rows 250000,1000000,2000000] [--save]   (needs `npm run build` before)
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { migrate } from '../src/lib/server/migrations/migrate';
import { tell } from './report/result';
import { createKinds, insertRows } from './setup/fill';
import { provideDatabase, startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		rows: { type: 'string', default: '250000,1000000,2000000' },
		save: { type: 'boolean' },
	},
});
const counts = values.rows.split(',').map(Number);
const SPREAD_MS = 20 * 60_000;
const READY_MS = 10 * 60_000;

process.env.BENCH_NODE_FLAGS ??= '--max-old-space-size=256';
const database = await provideDatabase();
const rows: (string | number)[][] = [];
try {
	await migrate(database.url);
	const sql = connect(database.url, { max: 1 });
	await createKinds(sql);
	for (const count of counts) {
		await sql`truncate nowboard.events`;
		await insertRows(sql, count, SPREAD_MS, randomUUID());
		await sql`analyze nowboard.events`;
		const began = performance.now();
		const target = await startTarget({ ...database, stop: async () => {} }, {}, READY_MS);
		const seconds = (performance.now() - began) / 1_000;
		const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${target.pid}/status`, 'utf8'))?.[1];
		await target.stop();
		rows.push([
			count.toLocaleString('en'),
			seconds.toFixed(1),
			Math.round(count / seconds).toLocaleString('en'),
			Math.round(Number(peak) / 1_024),
		]);
	}
	await sql.end({ timeout: 1 });
} finally {
	await database.stop();
}
tell({
	name: 'start',
	title: 'Starting',
	question:
		'From the start of the process until it is ready: it serves the exact figures of the last half hour.',
	tables: [
		{
			caption: 'Events in the half hour',
			columns: ['events', 'ready after s', 'events/s', 'peak memory MiB'],
			rows,
		},
	],
});
