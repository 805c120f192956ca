/**
 * What it costs that many sessions are here: each says so every 15 s and opens another page once a minute, and one viewer watches.
 *
 * npm run bench:presence -- [--sessions 10000] [--seconds 60] [--save]   (needs `npm run build` before)
 */
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HERE_EVERY_MS } from '../src/lib/presence';
import { connect } from '../src/lib/server/db/connect';
import { cpuMs, familyCpuMs } from './load/process-usage';
import { tell } from './report/result';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		sessions: { type: 'string', default: '10000' },
		seconds: { type: 'string', default: '60' },
		save: { type: 'boolean', default: false },
	},
});
const sessions = Number(values.sessions);
const seconds = Number(values.seconds);
const MINUTE_MS = 60_000;
/** Of one request, as a server sends for its visitors. */
const BATCH = 500;
const PAGES = 40;
const CONNECTIONS = 32;

const rows: (string | number)[][] = [];
for (const batch of [1, BATCH]) rows.push(await measure(batch));
tell({
	name: 'presence',
	title: 'Who is here now',
	question: `What do ${sessions.toLocaleString('en')} present sessions cost? Each sends a heartbeat every ${HERE_EVERY_MS / 1_000} s and opens another page once a minute; one viewer watches.`,
	tables: [
		{
			caption: `${seconds} s, measured after the sessions have arrived`,
			columns: [
				'sessions in a request',
				'heartbeats/s',
				'server, % of a core',
				'Postgres, % of a core',
				'row changes/s in Postgres',
				'shown',
			],
			rows,
		},
	],
	notes: [
		'Row changes are rows inserted, updated and deleted in `presence` and `presence_beats`, as Postgres counts them.',
		'With one session in a request, nearly all of the server’s time is that of HTTP requests.',
	],
});

async function measure(batch: number): Promise<(string | number)[]> {
	const target = await startTarget();
	const sql = connect(target.databaseUrl, { max: 1 });
	const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
	const closing = new AbortController();
	try {
		let told = '';
		void watch(`${target.url}/api/dashboard/stream`, closing.signal, (people) => (told = people));
		const changes = async () => {
			const [row] = await sql<[{ n: string }]>`
				select sum(n_tup_ins + n_tup_upd + n_tup_del)::text as n from pg_stat_user_tables
				where relname in ('presence', 'presence_beats')`;
			return Number(row.n);
		};
		let sent = 0;
		const startedAt = performance.now();
		/** Every session's heartbeats are spread evenly over the time between two. */
		async function run(forMs: number) {
			const slots = Math.ceil(sessions / batch);
			for (let slot = 0, from = performance.now(); performance.now() - from < forMs; slot++) {
				const due = from + (slot * HERE_EVERY_MS) / slots;
				if (due > performance.now()) await pause(due - performance.now());
				const first = (slot % slots) * batch;
				const ids = Array.from({ length: Math.min(batch, sessions - first) }, (_, i) => first + i);
				sent += ids.length;
				post(target.url, agent, ids.map(toState));
			}
		}
		const toState = (id: number) => ({
			sessionId: `session ${id}`,
			path: `/page/${Math.floor(id + (performance.now() - startedAt + id * 7_919) / MINUTE_MS) % PAGES}`,
			url: 'https://shop.example/',
		});
		await run(HERE_EVERY_MS * 1.2);
		// Postgres counts what a connection has done when it is idle for a second
		await pause(3_000);
		const before = {
			cpu: cpuMs(target.pid),
			changes: await changes(),
			sent,
			at: performance.now(),
		};
		const database = () => (target.postgresPid === null ? 0 : familyCpuMs(target.postgresPid));
		const databaseBefore = database();
		await run(seconds * 1_000);
		const tookMs = performance.now() - before.at;
		const cpu = ((cpuMs(target.pid) - before.cpu) / tookMs) * 100;
		const databaseCpu = ((database() - databaseBefore) / tookMs) * 100;
		await pause(3_000);
		const perSecond = (n: number) => Math.round((n / tookMs) * 1_000);
		return [
			batch,
			perSecond(sent - before.sent),
			cpu.toFixed(1),
			databaseCpu.toFixed(1),
			perSecond((await changes()) - before.changes),
			told,
		];
	} finally {
		closing.abort();
		agent.destroy();
		await sql.end({ timeout: 1 });
		await target.stop();
	}
}

function post(url: string, agent: Agent, states: object[]): void {
	const one = request(`${url}/api/presence`, {
		method: 'POST',
		agent,
		headers: { 'content-type': 'application/json' },
	});
	one.on('response', (response) => response.resume());
	one.on('error', () => {});
	one.end(JSON.stringify(states.length === 1 ? states[0] : states));
}

/** What the stream said last: "9,950 active, 50 idle". */
async function watch(url: string, signal: AbortSignal, onPeople: (text: string) => void) {
	try {
		const { body } = await fetch(url, { signal });
		for await (const chunk of body ?? []) {
			const found = /"people":\{"active":(\d+),"idle":(\d+)/.exec(Buffer.from(chunk).toString());
			if (found) onPeople(`${found[1]} active, ${found[2]} idle`);
		}
	} catch {
		// it ends with the measurement
	}
}
