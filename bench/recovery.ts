/**
 * How long an event is late after something broke, against an ordinary one in the same run: the listener's backend killed, and
 * Postgres restarted (counted from when it takes connections again). Against `node build`, over HTTP on loopback.
 *
 * npm run bench:recovery -- [--rounds 15] [--restarts 5] [--save]   (needs `npm run build` before)
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../scripts/process/ports';
import { connect, type Sql } from '../src/lib/server/db/connect';
import { createAppServer } from '../tests/setup/app-server';
import { startServer } from '../tests/setup/private-server';
import { followEvents } from './load/follow';
import { quantile } from './report/quantile';
import { tell } from './report/result';

const { values } = parseArgs({
	options: {
		rounds: { type: 'string', default: '15' },
		restarts: { type: 'string', default: '5' },
		save: { type: 'boolean' },
	},
});
/** Longer than the frame interval, so that no event waits for another. */
const CALM_MS = 300;
const LATE_MS = 30_000;

const database = await startServer();
const app = createAppServer(await freePort(), database.url, { LOG_LEVEL: 'fatal' });
try {
	await app.start();
	const seen = new Map<string, () => void>();
	const following = followEvents(`${app.url}/api/dashboard/stream`, (id) => seen.get(id)?.());
	await pause(1_000);
	let sql = connect(database.url, { max: 1 });

	/** ms from `since` until the event is at the client; inserts until one is taken */
	async function arrival(since: number): Promise<number> {
		const id = randomUUID();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const came = new Promise<number>((resolve, reject) => {
			seen.set(id, () => resolve(performance.now()));
			timer = setTimeout(() => reject(new Error(`no event within ${LATE_MS} ms`)), LATE_MS);
		});
		await sql`insert into nowboard.events (event_id, name) values (${id}, 'bench')`;
		const at = await came;
		clearTimeout(timer);
		return at - since;
	}

	const plain: number[] = [];
	const killed: number[] = [];
	for (let round = 0; round < Number(values.rounds); round++) {
		await pause(CALM_MS);
		plain.push(await arrival(performance.now()));
		await pause(CALM_MS);
		await sql`select pg_terminate_backend(pid) from pg_stat_activity
			where query ilike 'listen%' and pid <> pg_backend_pid()`;
		killed.push(await arrival(performance.now()));
	}
	const restarted: number[] = [];
	for (let round = 0; round < Number(values.restarts); round++) {
		await pause(2_000);
		await sql.end({ timeout: 0 });
		await database.stop('fast');
		await pause(1_000);
		await database.start();
		const accepting = performance.now();
		sql = await reconnect(database.url);
		restarted.push(await arrival(accepting));
	}
	const row = (what: string, times: number[]) => [
		what,
		times.length,
		quantile(times, 0.5).toFixed(0),
		quantile(times, 1).toFixed(0),
	];
	tell({
		name: 'recovery',
		title: 'After something broke',
		question: 'How late an event is at a client, from its INSERT on, unless said otherwise.',
		tables: [
			{
				caption: 'INSERT → frame',
				columns: ['', 'times', 'median ms', 'max ms'],
				rows: [
					row('an ordinary event', plain),
					row("right after the listener's backend was killed", killed),
					row('after a restart of Postgres, from when it takes connections', restarted),
				],
			},
		],
	});
	following.stop();
	await sql.end({ timeout: 0 });
} finally {
	await app.kill('SIGTERM');
	await database.drop();
}

async function reconnect(url: string): Promise<Sql> {
	const sql = connect(url, { max: 1 });
	await sql`select 1`;
	return sql;
}
