/**
 * What is measured, ours and others, behind one face: where its stream is, how an event gets into it, what CPU time it used.
 * Ours and the polling one take events as any SQL client sends them; the others are handed them over HTTP, and keep nothing.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/process/ports';
import { findProgram } from '../../scripts/testing/system-programs';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { makeTemporaryFolder } from '../../tests/setup/server';
import { nowUs } from '../load/tally';
import { insertNumbers } from './numbers';
import { cpuMs, familyCpuMs, rssBytes } from '../load/process-usage';
import { provideDatabase, startTarget } from './target';

export type Server = {
	name: string;
	/** address of the stream */
	stream: string;
	/** a client has joined when its first state came, or already when it was answered */
	joins: 'state' | 'head';
	/** Events with the numbers `from` to `from + count − 1`, in one go. Resolves when the server has taken them. */
	publish(from: number, count: number): Promise<void>;
	/** transactions of the database until now; null: there is none, or it is not asked */
	transactions(): Promise<number | null>;
	/** CPU time of the serving process, ms */
	cpuMs(): number;
	/** CPU time of the database it stands on, ms; 0: none */
	databaseCpuMs(): number;
	rssBytes(): number;
	stop(): Promise<void>;
};

export const PEERS = 'bench/peers';
const READY_MS = 30_000;
const OURS = 'Nowboard';

/** `node build`, with a Postgres as durable as in production. */
/** @param folder of the checkout whose build is started */
export async function startOurs(folder = '.'): Promise<Server> {
	const target = await startTarget(undefined, {}, folder);
	const sql = connect(target.databaseUrl, { max: 4 });
	const [found] = await sql<{ schema: string }[]>`
		select schemaname as schema from pg_tables where tablename = 'events'`;
	return {
		name: OURS,
		stream: `${target.url}/api/dashboard/stream`,
		joins: 'state',
		async publish(from, count) {
			await insertNumbers(sql, from, count, found?.schema);
		},
		transactions: () => countTransactions(sql),
		cpuMs: () => cpuMs(target.pid),
		databaseCpuMs: () => (target.postgresPid === null ? 0 : familyCpuMs(target.postgresPid)),
		rssBytes: () => rssBytes(target.pid),
		async stop() {
			await sql.end({ timeout: 1 });
			await target.stop();
		},
	};
}

/** node:http and nothing else. Everything that is published in one go is one frame. */
export const startFloor = () => startPeer('bare node:http', 'floor.js');
/** One broadcast for each event. */
export const startBetterSse = () => startPeer('better-sse', 'better-sse.js');

async function startPeer(name: string, file: string): Promise<Server> {
	installPeers();
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const child = spawn(process.execPath, [join(PEERS, file)], {
		env: { ...process.env, PORT: String(port) },
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	await untilAnswers(url, child, name);
	return {
		...ofProcess(name, child),
		stream: `${url}/stream`,
		joins: 'head',
		publish: (from, count) => post(`${url}/publish`, JSON.stringify(toEvents(from, count))),
	};
}

/** nginx with nchan: one message for each event. Throws with what to install when it is missing. */
export async function startNchan(): Promise<Server> {
	const nginx = findProgram('nginx');
	const module = '/usr/lib/nginx/modules/ngx_nchan_module.so';
	if (!nginx || !existsSync(module))
		throw new Error('nchan is missing: on Debian, "apt-get install nginx libnginx-mod-nchan".');
	const port = await freePort();
	const folder = makeTemporaryFolder();
	const names: Record<string, string> = {
		MODULE: module,
		FOLDER: folder,
		PORT: String(port),
		FILES: '20000',
		CONNECTIONS: '19000',
	};
	const template = readFileSync(join(PEERS, 'nchan.conf'), 'utf8');
	const file = join(folder, 'nginx.conf');
	writeFileSync(
		file,
		template.replace(/__(\w+?)__/g, (_, name: string) => names[name] as string),
	);
	const child = spawn(nginx, ['-p', folder, '-c', file, '-g', 'daemon off;'], {
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	const url = `http://127.0.0.1:${port}`;
	await untilAnswers(url, child, 'nchan');
	const own = ofProcess('nchan', child);
	return {
		...own,
		stream: `${url}/stream`,
		joins: 'head',
		async publish(from, count) {
			for (const event of toEvents(from, count))
				await post(`${url}/publish`, JSON.stringify(event));
		},
		async stop() {
			await own.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** The tutorials' design: a Next.js route in which every connection polls the database. On a Postgres of its own. */
export async function startNext(): Promise<Server> {
	installPeers();
	const folder = join(PEERS, 'next');
	const next = join('..', 'node_modules', 'next', 'dist', 'bin', 'next');
	const database = await provideDatabase();
	const sql = connect(database.url, { max: 4 });
	await sql`
		create table events (
			id bigserial primary key, event_id uuid not null default gen_random_uuid(), name text not null, source text not null,
			session_id text, properties jsonb not null, created_at timestamptz not null default clock_timestamp()
		)`;
	const env = { ...process.env, DATABASE_URL: database.url, NEXT_TELEMETRY_DISABLED: '1' };
	if (!existsSync(join(folder, '.next', 'BUILD_ID')))
		execFileSync(process.execPath, [next, 'build'], { cwd: folder, env, stdio: 'ignore' });
	const port = await freePort();
	const url = `http://127.0.0.1:${port}`;
	const args = [next, 'start', '--port', String(port), '--hostname', '127.0.0.1'];
	const child = spawn(process.execPath, args, {
		cwd: folder,
		env,
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	await untilAnswers(url, child, 'Next.js');
	const own = ofProcess('Next.js, polling', child);
	return {
		...own,
		stream: `${url}/events`,
		joins: 'head',
		async publish(from, count) {
			await insertNumbers(sql, from, count);
		},
		transactions: () => countTransactions(sql),
		cpuMs: () => familyCpuMs(child.pid as number),
		databaseCpuMs: () => (database.pid === null ? 0 : familyCpuMs(database.pid)),
		async stop() {
			await own.stop();
			await sql.end({ timeout: 1 });
			await database.stop();
		},
	};
}

/** What the others are compared with was not written by us: it is fetched when it is first needed. */
export function installPeers(): void {
	if (existsSync(join(PEERS, 'node_modules', 'better-sse'))) return;
	console.log(`installing what is compared with (${PEERS}/package.json) …`);
	execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: PEERS });
}

/** Events as ours look on the wire, so that all servers carry the same bytes. */
export function toEvents(from: number, count: number): object[] {
	const t = nowUs();
	return Array.from({ length: count }, (_, i) => ({
		id: from + i + 1,
		eventId: randomUUID(),
		name: 'bench',
		source: 'bench',
		sessionId: null,
		properties: { n: from + i, t },
		createdAt: new Date().toISOString(),
	}));
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

export function post(url: string, body: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const sent = request(url, { method: 'POST', agent }, (response) => {
			response.resume();
			response.on('end', () => {
				if ((response.statusCode ?? 500) < 400) resolve();
				else reject(new Error(`POST ${url}: ${response.statusCode}`));
			});
		});
		sent.on('error', reject);
		sent.setHeader('content-type', 'application/json');
		sent.end(body);
	});
}

async function countTransactions(sql: Sql): Promise<number> {
	const [row] = await sql<{ count: string }[]>`
		select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()`;
	return Number(row?.count);
}

function ofProcess(name: string, child: ChildProcess) {
	const exited = once(child, 'exit');
	return {
		name,
		transactions: async () => null,
		cpuMs: () => cpuMs(child.pid as number),
		databaseCpuMs: () => 0,
		rssBytes: () => rssBytes(child.pid as number),
		async stop() {
			child.kill('SIGKILL');
			await exited;
		},
	};
}

async function untilAnswers(url: string, child: ChildProcess, name: string): Promise<void> {
	const deadline = performance.now() + READY_MS;
	// any answer is one; a stream is left at once
	const answers = () =>
		fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
			async (response) => {
				await response.body?.cancel();
				return true;
			},
			() => false,
		);
	while (!(await answers())) {
		if (child.exitCode !== null || performance.now() > deadline)
			throw new Error(`${name}: no answer at ${url} within ${READY_MS} ms`);
		await pause(50);
	}
}
