/**
 * Clients that stall among clients that read: what they cost the others, what they cost in memory, and whether they lose
 * anything. Rounds in which 100 clients of big events read, and in which they stall, take turns; the others look at
 * small events of another source, and their delay (commit → frame) is compared.
 *
 * npm run bench:slow -- [--clients 1000] [--stalled 100] [--rounds 6] [--seconds 12] [--save]   (needs `npm run build` before)
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/lib/server/db/connect';
import { createAccount, type Account } from '../tests/faults/account';
import { cpuMs, rssBytes } from './load/process-usage';
import { median } from './setup/measure';
import { quantile } from './report/quantile';
import { tell } from './report/result';
import { startTarget } from './setup/target';

const { values } = parseArgs({
	options: {
		clients: { type: 'string', default: '1000' },
		stalled: { type: 'string', default: '100' },
		rounds: { type: 'string', default: '6' },
		seconds: { type: 'string', default: '12' },
		save: { type: 'boolean' },
	},
});
const stalledCount = Number(values.stalled);
const healthyCount = Number(values.clients) - stalledCount;
/**
 * Small events come at random, as from independent visitors: at a fixed pace the quantiles would be those
 * of its beat with the frames.
 */
const MEAN_PAUSE_MS = 60;
/** Big events a second, of 8 KB: the kernel hides some 4 MB for each who does not read, which is full after a few seconds. */
const BIG_PER_S = 120;
/** 120 events of 8 KB a second fill what the kernel takes for a client within this. */
const WARM_S = 6;
const REST_MS = 4_000;
/** The server bears 30 s. */
const ENDED_MS = 60_000;
const CAUGHT_UP_MS = 60_000;

type Client = { account: Account; response: IncomingMessage; onChunk: (chunk: Buffer) => void };

const target = await startTarget();
const small = connect(target.databaseUrl, { max: 1 });
const big = connect(target.databaseUrl, { max: 1 });

async function open(
	source: string,
	cursor: string | null,
	account = createAccount(),
): Promise<Client> {
	const query = new URLSearchParams({ source, ...(cursor === null ? {} : { cursor }) });
	const request = get(`${target.url}/api/dashboard/stream?${query}`, { agent: false });
	request.on('error', () => {});
	const [response] = (await once(request, 'response')) as [IncomingMessage];
	const client: Client = { account, response, onChunk: () => {} };
	response.on('error', () => {});
	response.on('data', (chunk: Buffer) => {
		account.feed(chunk);
		client.onChunk(chunk);
	});
	return client;
}
const openMany = (count: number, source: string) =>
	Promise.all(Array.from({ length: count }, () => open(source, null)));
async function until(what: string, holds: () => boolean, withinMs: number): Promise<void> {
	const deadline = performance.now() + withinMs;
	while (!holds()) {
		if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
		await pause(20);
	}
}

/** Delays of small events at each healthy client, while big ones go to the others. */
async function measure(
	healthy: Client[],
	seconds: number,
): Promise<{ delays: number[]; cpuShare: number }> {
	const delays: number[] = [];
	const end = performance.now() + seconds * 1_000;
	const cpu = cpuMs(target.pid);
	const started = performance.now();
	let poured = 0;
	const pouring = (async () => {
		while (performance.now() < end) {
			const due = started + (poured * 1_000) / BIG_PER_S - performance.now();
			if (due > 0) await pause(due);
			await big`insert into nowboard.events (name, source, properties)
				values ('big', 'big', jsonb_build_object('text', repeat('x', 8000)))`;
			poured++;
		}
	})();
	while (performance.now() < end) {
		const id = randomUUID();
		let committed = 0;
		const early: number[] = [];
		for (const client of healthy)
			client.onChunk = (chunk) => {
				if (!chunk.includes(id)) return;
				const now = performance.now();
				if (committed === 0) early.push(now);
				else delays.push(now - committed);
			};
		await small`insert into nowboard.events (event_id, name, source) values (${id}, 'small', 'small')`;
		committed = performance.now();
		for (let i = 0; i < early.length; i++) delays.push(0);
		await pause(-MEAN_PAUSE_MS * Math.log(1 - Math.random()));
	}
	await pouring;
	return { delays, cpuShare: (cpuMs(target.pid) - cpu) / (performance.now() - started) };
}

try {
	const healthy = await openMany(healthyCount, 'small');
	const results = { reading: [] as number[], stalled: [] as number[] };
	const memory = { reading: [] as number[], stalled: [] as number[] };
	let lost = 0;
	let twice = 0;
	let resets = 0;
	const others = await openMany(stalledCount, 'big');
	await until(
		'the first state',
		() => others.every((one) => one.account.cursor() !== null),
		20_000,
	);
	for (let round = 1; round <= Number(values.rounds); round++)
		for (const kind of ['reading', 'stalled'] as const) {
			if (kind === 'stalled') for (const { response } of others) response.pause();
			// until the kernel hides no more
			await measure(healthy, WARM_S);
			const { delays, cpuShare } = await measure(healthy, Number(values.seconds));
			await target.probe();
			memory[kind].push(rssBytes(target.pid));
			results[kind].push(...delays);
			console.log(
				`round ${round}, ${stalledCount} ${kind}: p50 ${quantile(delays, 0.5).toFixed(1)} ms, p99 ${quantile(delays, 0.99).toFixed(1)} ms, server CPU ${(100 * cpuShare).toFixed(0)} %, resident ${(rssBytes(target.pid) / 2 ** 20).toFixed(0)} MiB`,
			);
			// in the last round they stay away for longer than the server bears
			if (kind === 'reading' || round === Number(values.rounds)) continue;
			for (const { response } of others) response.resume();
			await pause(REST_MS);
		}

	// while frames go on, the server ends them; then they read the rest, and come back
	const pouring = setInterval(
		() =>
			void small`insert into nowboard.events (name, source) values ('tick', 'big')`.catch(() => {}),
		1_000,
	);
	await pause(ENDED_MS / 2);
	for (const { response } of others) response.resume();
	await until(
		'the end of the stalled',
		() => others.every(({ response }) => response.closed),
		ENDED_MS,
	);
	clearInterval(pouring);
	const [row] = await small<{ id: string }[]>`
		insert into nowboard.events (name, source) values ('marker', 'big') returning id`;
	const back = await Promise.all(
		others.map(({ account }) => {
			account.cut();
			return open('big', account.cursor(), account);
		}),
	);
	const marker = Number(row?.id);
	await until('catching up', () => back.every(({ account }) => account.has(marker)), CAUGHT_UP_MS);
	const rows = await small<{ id: string }[]>`
		select id from nowboard.events where source = 'big' order by id`;
	const ids = rows.map(({ id }) => Number(id));
	for (const { account, response } of back) {
		resets += account.resets().length - 1;
		twice += account.twice();
		// what came before its first state is not due
		const first = account.current().next().value as number;
		lost += ids.filter((id) => id >= first && !account.has(id)).length;
		response.destroy();
	}
	const p99 = (kind: 'reading' | 'stalled') => quantile(results[kind], 0.99);
	const each = (median(memory.stalled) - median(memory.reading)) / stalledCount / 1_024;
	tell({
		name: 'slow',
		title: 'Clients that stall',
		question: `${stalledCount} clients of big events (${BIG_PER_S} of 8 KB a second) read, and stall, in turn; ${healthyCount} others look at small events of another source. At the end the stalled stay so for longer than the server bears, are ended, read the rest and come back.`,
		tables: [
			{
				caption: `${values.rounds} interleaved rounds, ${values.seconds} s each`,
				columns: ['the others', 'p50 ms of the healthy', 'p99 ms', 'resident MiB, median'],
				rows: (['reading', 'stalled'] as const).map((kind) => [
					kind === 'reading' ? 'read' : 'stall',
					quantile(results[kind], 0.5).toFixed(1),
					p99(kind).toFixed(1),
					(median(memory[kind]) / 2 ** 20).toFixed(0),
				]),
			},
		],
		notes: [
			`p99 of the healthy: ratio ${(p99('stalled') / p99('reading')).toFixed(2)}. It is the frame interval: a small event right after a frame of big ones waits for the next.`,
			`Resident memory for each client that stalls, beyond one that reads: ${each.toFixed(0)} KB.`,
			`The stalled were ended and came back: lost ${lost}, twice ${twice}, resets ${resets}.`,
		],
	});
	for (const { response } of healthy) response.destroy();
	await Promise.all([small.end({ timeout: 0 }), big.end({ timeout: 0 })]);
} finally {
	await target.stop();
}
