/**
 * One run of the fault suite: a durable Postgres of its own, several instances of `node build`, writers, processes full of
 * clients, and faults as planned; in the end the committed rows are read from the table and every client is judged by them.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/process/ports';
import type { Sql } from '../../src/lib/server/db/connect';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { startServer, type PrivateServer } from '../setup/private-server';
import { makeTemporaryFolder } from '../setup/server';
import type { Judged, Marker, Order, Reply, Waited } from './clients';
import { inflict, withAdmin, type Parts } from './inflict';
import { NAIVE_READERS, startNaiveReader, type NaiveReader } from './naive';
import { startNaiveFollowers } from './naive-relay';
import { startRelayParts } from './relay';
import type { Verdict } from './oracle';
import { FILTERS, SOURCES, toPlan, type FaultKind } from './plan';
import { startFaultyProxy } from './proxy';
import { startWriters, type Written } from './writers';

export type RunOptions = {
	seed: number;
	/** rows to be written, at least */
	events: number;
	/** rows a second, about */
	rate: number;
	clients: number;
	faults: number;
	instances: number;
	/** for how long a client that stalls stops reading now and then; the server bears 30 s */
	stallMs: number;
	/** a relay, with its faults; the last instance is an edge */
	relay: boolean;
	log: (line: string) => void;
};

export type RunResult = {
	options: Omit<RunOptions, 'log'>;
	seconds: number;
	committed: number;
	faults: { kind: FaultKind; seconds: number; catchUpMs: number[] }[];
	verdicts: Verdict[];
	/** clients that had not caught up in time, after a fault or in the end */
	late: string[];
	/** instances that ended by themselves */
	crashed: number;
	/** events that were answered 202 and are not in the table */
	untrue: number;
	/** rows that a naive reader beside ours has lost */
	naive: { name: string; lost: number; twice: number }[];
	posts: [number, number][];
	answers: [number, number][];
	frames: number;
	postgres: string;
};

/** After a fault is over, everyone must be there again within this time. */
const CATCH_UP_MS = 60_000;
/** In the end also those that stall, once they read again. */
const END_MS = 180_000;
/** The whole table is read in the end. */
const READ_MS = 5 * 60_000;
const PROCESSES = 2;
const CLIENTS_MODULE = fileURLToPath(new URL('./clients.ts', import.meta.url));
const LOOK_MS = 50;
const SAYS_MS = 5_000;
const SAYS_LINES = 15;

export async function runFaults(options: RunOptions): Promise<RunResult> {
	const { seed, log } = options;
	const plan = toPlan(options);
	const database = await startServer({ max_connections: 100 });
	const cleanUp: (() => unknown)[] = [() => database.drop()];
	try {
		return await play(options, plan, database, cleanUp);
	} catch (error) {
		log(`The run with seed ${seed} broke.`);
		throw error;
	} finally {
		for (const clean of cleanUp.reverse()) await clean();
	}
}

async function play(
	options: RunOptions,
	plan: ReturnType<typeof toPlan>,
	database: PrivateServer,
	cleanUp: (() => unknown)[],
): Promise<RunResult> {
	const { seed, events, rate, clients, faults, instances, stallMs, relay, log } = options;
	const parts = await startParts(instances, relay, database, cleanUp);
	const direct = parts.apps.map(({ url }) => url);
	const proxied = parts.clientProxies.map(({ port }) => `http://127.0.0.1:${port}`);
	const naive: NaiveReader[] = (Object.keys(NAIVE_READERS) as (keyof typeof NAIVE_READERS)[]).map(
		(name) => startNaiveReader(name, database.url),
	);
	if (parts.relay) naive.push(...(await startNaiveFollowers(parts.relay.redis, database.url)));
	cleanUp.push(() => Promise.all(naive.map((reader) => reader.stop())));
	const crowds = Array.from({ length: PROCESSES }, () => startCrowd(cleanUp));
	await Promise.all(
		crowds.map((crowd, i) => {
			const plans = plan.clients.filter((_, at) => at % PROCESSES === i);
			return crowd.ask({ type: 'start', plans, direct, proxied });
		}),
	);
	const waitForAll = async (all: boolean): Promise<Waited> => {
		const order: Order = {
			type: 'wait',
			marker: await mark(database.url),
			timeoutMs: all ? END_MS : CATCH_UP_MS,
			all,
		};
		const waited = (await Promise.all(crowds.map((crowd) => crowd.ask(order)))) as Waited[];
		return {
			type: 'waited',
			times: waited.flatMap(({ times }) => times),
			late: waited.flatMap(({ late }) => late),
		};
	};
	const late = (await waitForAll(true)).late.map((one) => `at the start: ${one}`);

	const started = performance.now();
	const urls = [...direct, ...proxied];
	const writers = startWriters({ seed, urls, databaseUrl: database.url, events, rate });
	cleanUp.push(() => writers.stop());
	const happened: RunResult['faults'] = [];
	for (const fault of plan.faults) {
		while (writers.written.rows < fault.after * events) await pause(LOOK_MS);
		const since = performance.now();
		await inflict(parts, fault);
		const seconds = (performance.now() - since) / 1_000;
		const waited = await waitForAll(false);
		late.push(...waited.late.map((one) => `after "${fault.kind}": ${one}`));
		happened.push({ kind: fault.kind, seconds, catchUpMs: waited.times });
		if (waited.late.length > 0) for (const app of parts.apps) log(await describe(app));
		const slowest = Math.max(...waited.times);
		log(
			`${happened.length}/${faults} ${fault.kind} (${seconds.toFixed(1)} s): all back after ${slowest.toFixed(0)} ms, ${writers.written.rows} rows`,
		);
	}
	await writers.done;
	late.push(...(await waitForAll(true)).late.map((one) => `in the end: ${one}`));
	await pause(200);
	await Promise.all(naive.map((reader) => reader.stop()));

	const folder = makeTemporaryFolder();
	cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, 'rows');
	const rows = await saveRows(database.url, file);
	const judged = (await Promise.all(
		crowds.map((crowd) => crowd.ask({ type: 'judge', file, rows: rows.count })),
	)) as Judged[];
	return {
		options: { seed, events, rate, clients, faults, instances, stallMs, relay },
		seconds: (performance.now() - started) / 1_000,
		committed: rows.count,
		faults: happened,
		verdicts: judged.flatMap(({ verdicts }) => verdicts),
		late,
		crashed: parts.apps.filter((app) => app.exitCode() !== null).length,
		untrue: countUntrue(writers.written, rows.eventIds),
		naive: naive.map(({ name, ids, twice }) => ({
			name,
			twice: twice?.() ?? 0,
			lost: rows.ids.filter((id) => !ids.has(id)).length,
		})),
		posts: [...writers.written.answers].sort(),
		answers: sum(judged.flatMap(({ answers }) => answers)),
		frames: judged.reduce((all, { events }) => all + events, 0),
		postgres: rows.version,
	};
}

async function startParts(
	instances: number,
	withRelay: boolean,
	database: PrivateServer,
	cleanUp: (() => unknown)[],
): Promise<Parts> {
	const relay = withRelay ? await startRelayParts(instances, database.url, cleanUp) : null;
	const parts = { database, relay, apps: [], clientProxies: [], databaseProxies: [] } as {
		[Name in keyof Parts]: Name extends 'database' | 'relay'
			? Parts[Name]
			: NonNullable<Parts[Name]>[number & keyof Parts[Name]][];
	};
	for (let i = 0; i < instances; i++) {
		const between = await startFaultyProxy(() => Number(new URL(database.url).port));
		const url = new URL(database.url);
		url.port = String(between.port);
		const port = await freePort();
		const app = createAppServer(port, url.href, {
			LOG_LEVEL: 'info',
			...(relay && {
				RELAY_URL: `redis://127.0.0.1:${relay.proxies[i]?.port}`,
				RELAY_ROLE: i > 0 && i === instances - 1 ? 'edge' : 'all',
			}),
		});
		const before = await startFaultyProxy(() => port);
		parts.apps.push(app);
		parts.clientProxies.push(before);
		parts.databaseProxies.push(between);
		cleanUp.push(
			() => between.close(),
			() => before.close(),
			() => app.kill('SIGKILL'),
		);
		await app.start();
	}
	return parts;
}

/** The state of an instance, to examine a failed run. */
async function describe(app: RunningApp): Promise<string> {
	const status = await fetch(`${app.url}/api/dashboard/status`, {
		signal: AbortSignal.timeout(SAYS_MS),
	}).then(
		(response) => response.text(),
		(error: unknown) => String(error),
	);
	return `${app.url}: ${status}\n${app.output().split('\n').slice(-SAYS_LINES).join('\n')}`;
}

/** A process of clients that is asked one thing at a time. */
function startCrowd(cleanUp: (() => unknown)[]) {
	const child: ChildProcess = fork(CLIENTS_MODULE, { execArgv: ['--import', 'tsx'] });
	cleanUp.push(async () => {
		if (child.exitCode !== null) return;
		const gone = once(child, 'exit');
		child.kill('SIGKILL');
		await gone;
	});
	return {
		ask: (order: Order) =>
			new Promise<Reply>((resolve, reject) => {
				const onExit = () => reject(new Error('a process of clients has ended'));
				child.once('exit', onExit);
				child.once('message', (reply: Reply) => {
					child.off('exit', onExit);
					resolve(reply);
				});
				child.send(order);
			}),
	};
}

async function mark(url: string): Promise<Marker> {
	const rows = await withAdmin(
		url,
		(sql) => sql<{ tx: string }[]>`
			insert into nowboard.events (name, source) select 'marker', unnest(${`{${SOURCES.join(',')}}`}::text[])
			returning tx::text`,
	);
	return { tx: rows[0]?.tx ?? '0' };
}

/** Writes the committed rows, by (tx, id), for the processes of clients: all txs, then all ids, then all marks. */
async function saveRows(url: string, file: string) {
	const read = async (sql: Sql) => {
		const marks = FILTERS.map(({ where }, i) => `case when ${where} then ${1 << i} else 0 end`);
		const rows = await sql<{ tx: string; id: string; marks: number; event_id: string }[]>`
			select tx::text, id, ${sql.unsafe(marks.join(' + '))} as marks, event_id
			from nowboard.events order by events.tx, events.id`;
		const [server] = await sql<
			{ version: string }[]
		>`select current_setting('server_version') as version`;
		const bytes = Buffer.alloc(rows.length * 17);
		for (const [i, { tx, id, marks }] of rows.entries()) {
			bytes.writeBigUInt64LE(BigInt(tx), i * 8);
			bytes.writeDoubleLE(Number(id), (rows.length + i) * 8);
			bytes[rows.length * 16 + i] = marks;
		}
		writeFileSync(file, bytes);
		return {
			count: rows.length,
			ids: rows.map(({ id }) => Number(id)),
			eventIds: new Set(rows.map((row) => row.event_id)),
			version: server?.version ?? '?',
		};
	};
	return withAdmin(url, read, READ_MS);
}

function countUntrue({ accepted }: Written, eventIds: ReadonlySet<string>): number {
	return accepted.filter((id) => !eventIds.has(id)).length;
}

function sum(counts: [number, number][]): [number, number][] {
	const sums = new Map<number, number>();
	for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
	return [...sums].sort(([a], [b]) => a - b);
}
