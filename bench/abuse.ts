/**
 * What an abusive client at full speed does to those who look: their delay before, and while it goes on; and what it leaves behind in
 * memory. The abuser, the viewers, the server and Postgres share the machine.
 *
 * npm run bench:abuse -- [--seconds 600] [--calm 60] [--viewers 100] [--save]   (needs `npm run build` before)
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { startLoad } from './load/load';
import { publishFor } from './measure';
import { createNumbers, insertNumbers } from './numbers';
import { cpuMs, rssBytes } from './process-usage';
import { tell } from './result';
import { provideDatabase, startTarget } from './target';

const { values } = parseArgs({
	options: {
		seconds: { type: 'string', default: '600' },
		calm: { type: 'string', default: '60' },
		viewers: { type: 'string', default: '100' },
		save: { type: 'boolean' },
	},
});
const RATE = { times: 10, events: 1 };

const target = await startTarget(await provideDatabase(), {
	INGEST_OPEN: 'false',
	DASHBOARD_PASSWORD: 'a password for the abused',
	LOG_LEVEL: 'fatal',
});
const sql = connect(target.databaseUrl, { max: 4 });
const load = startLoad();
const abuser = fork(fileURLToPath(new URL('./load/abuser.ts', import.meta.url)), {
	execArgv: ['--import', 'tsx'],
});
const numbers = createNumbers();
const server = { publish: (from: number, count: number) => insertNumbers(sql, from, count) };

async function measure(seconds: number) {
	await load.ask('begin', null);
	const from = numbers.next();
	const cpu = cpuMs(target.pid);
	const started = performance.now();
	await publishFor(server, numbers, RATE, seconds);
	await load.ask('until', { upTo: numbers.next() - 1, withinMs: 20_000 });
	const share = (cpuMs(target.pid) - cpu) / (performance.now() - started);
	return { ...(await load.ask('report', { from, to: numbers.next() })), share };
}

try {
	const { failed } = await load.ask('open', {
		url: `${target.url}/api/dashboard/stream`,
		count: Number(values.viewers),
		atOnce: 50,
		joins: 'state',
	});
	if (failed > 0) throw new Error(`${failed} viewers got no stream`);
	await measure(3);
	const calm = await measure(Number(values.calm));
	const heap = (await target.probe()).heapUsed;
	const resident = rssBytes(target.pid);
	abuser.send({ url: target.url });
	await measure(3);
	const abused = await measure(Number(values.seconds));
	const answer = once(abuser, 'message');
	abuser.send('report');
	const [answers] = (await answer) as [Record<string, number>];
	const heapAfter = (await target.probe()).heapUsed;
	const [rows] = await sql<{ count: string }[]>`select count(*) from events where name = 'abuse'`;
	const row = (name: string, one: typeof calm) => [
		name,
		one.delays?.p50.toFixed(1) ?? '–',
		one.delays?.p99.toFixed(1) ?? '–',
		`${Math.round(100 * one.share)} %`,
		one.missing,
		one.twice,
	];
	const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
	tell({
		name: 'abuse',
		title: 'Beside an abusive client',
		question: `${values.viewers} honest viewers and ten events a second, before and while one client sends wrong keys, guesses, huge bodies and half heads at full speed.`,
		tables: [
			{
				caption: 'The honest',
				columns: ['', 'p50 ms', 'p99 ms', 'server CPU', 'missing', 'twice'],
				rows: [row(`calm, ${values.calm} s`, calm), row('abused', abused)],
			},
			{
				caption: 'What the abuser was answered',
				columns: ['', 'times'],
				rows: Object.entries(answers)
					.sort(([a], [b]) => a.localeCompare(b))
					.map(([what, times]) => [what, times.toLocaleString('en')]),
			},
		],
		notes: [
			`p99 of the honest: ratio ${((abused.delays?.p99 ?? NaN) / (calm.delays?.p99 ?? NaN)).toFixed(2)}.`,
			`Rows that came of it: ${rows?.count}. Heap ${mib(heap)} → ${mib(heapAfter)} MiB, resident ${mib(resident)} → ${mib(rssBytes(target.pid))} MiB.`,
		],
	});
} finally {
	abuser.disconnect();
	await load.stop();
	await sql.end({ timeout: 1 });
	await target.stop();
}
