/**
 * How many events a second are taken over HTTP and committed, one in a request and a hundred, alone and while a thousand clients
 * watch all of it. What was answered 202 is counted again in the table.
 *
 * npm run bench:ingest -- [--seconds 10] [--clients 1000] [--rounds 3] [--only 'of 100/1000'] [--save]   (needs `npm run build` before)
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { startLoad } from './load/load';
import type { Posted, Task } from './load/poster';
import { median } from './setup/measure';
import { cpuMs, familyCpuMs } from './load/process-usage';
import { tell } from './report/result';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		seconds: { type: 'string', default: '10' },
		clients: { type: 'string', default: '1000' },
		rounds: { type: 'string', default: '3' },
		only: { type: 'string' },
		save: { type: 'boolean' },
	},
});
const seconds = Number(values.seconds);
const clients = Number(values.clients);
const WARM_S = 2;

type Case = { name: string; connections: number; perRequest: number; clients: number };
const ALL: Case[] = [
	{ name: 'single', connections: 64, perRequest: 1, clients: 0 },
	{ name: 'single', connections: 64, perRequest: 1, clients },
	{ name: 'of 100', connections: 32, perRequest: 100, clients: 0 },
	{ name: 'of 100', connections: 32, perRequest: 100, clients },
];

const CASES = ALL.filter(
	({ name, clients }) => !values.only || `${name}/${clients}` === values.only,
);

const target = await startTarget();
const sql = connect(target.databaseUrl, { max: 1 });
const poster = fork(fileURLToPath(new URL('./load/poster.ts', import.meta.url)), {
	execArgv: ['--import', 'tsx'],
});
const post = async (task: Omit<Task, 'url'>): Promise<Posted> => {
	const answer = once(poster, 'message');
	poster.send({ url: `${target.url}/api/events`, ...task } satisfies Task);
	return (await answer)[0] as Posted;
};
const countRows = async () =>
	Number((await sql<{ count: string }[]>`select count(*) from nowboard.events`)[0]?.count);

type Outcome = Posted & { cpu: number; database: number; untrue: number };
async function run({ connections, perRequest, clients }: Case): Promise<Outcome> {
	const load = startLoad();
	try {
		if (clients > 0)
			await load.ask('open', {
				url: `${target.url}/api/dashboard/stream`,
				count: clients,
				atOnce: 100,
				joins: 'state',
			});
		await post({ connections, perRequest, seconds: WARM_S });
		const before = await countRows();
		const cpu = cpuMs(target.pid);
		const database = target.postgresPid ? familyCpuMs(target.postgresPid) : 0;
		const posted = await post({ connections, perRequest, seconds });
		const ms = posted.seconds * 1_000;
		return {
			...posted,
			cpu: (cpuMs(target.pid) - cpu) / ms,
			database: target.postgresPid ? (familyCpuMs(target.postgresPid) - database) / ms : 0,
			untrue: posted.accepted - ((await countRows()) - before),
		};
	} finally {
		await load.stop();
	}
}

try {
	const all = CASES.map((): Outcome[] => []);
	for (let round = 0; round < Number(values.rounds); round++)
		for (const [i, one] of CASES.entries()) {
			// the table is as large for the first as for the last
			await sql`truncate nowboard.events`;
			all[i]?.push(await run(one));
		}
	const percent = (share: number) => `${Math.round(100 * share)} %`;
	tell({
		name: 'ingest',
		title: 'Ingest',
		question:
			'POST /api/events, each answered after its commit (fsync and synchronous_commit on, the database on the same machine).',
		tables: [
			{
				caption: `Median of ${values.rounds} interleaved rounds, ${seconds} s each`,
				columns: [
					'requests',
					'connections',
					'watching clients',
					'requests/s',
					'events/s',
					'p50 ms',
					'p99 ms',
					'server CPU',
					'database CPU',
					'refused',
					'202 and not in the table',
				],
				rows: CASES.map(({ name, connections, clients }, i) => {
					const of = (key: (one: Outcome) => number) => median((all[i] as Outcome[]).map(key));
					const refused = (all[i] as Outcome[]).map((one) => JSON.stringify(one.refused));
					return [
						name,
						connections,
						clients.toLocaleString('en'),
						Math.round(of((one) => one.requests / one.seconds)).toLocaleString('en'),
						Math.round(of((one) => one.accepted / one.seconds)).toLocaleString('en'),
						of((one) => one.p50).toFixed(1),
						of((one) => one.p99).toFixed(1),
						percent(of((one) => one.cpu)),
						percent(of((one) => one.database)),
						refused.every((one) => one === '{}') ? 0 : refused.join(' '),
						(all[i] as Outcome[]).reduce((sum, one) => sum + Math.abs(one.untrue), 0),
					];
				}),
			},
		],
		notes: [
			'With watching clients, frames carry up to 1,000 events and count the rest (`omitted`): a page cannot show 20,000 events a second.',
		],
	});
} finally {
	poster.disconnect();
	await sql.end({ timeout: 1 });
	await target.stop();
}
