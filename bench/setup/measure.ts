/** One measurement: so many clients, so many events a second, for so long. The rates are those of the clock, the costs those of /proc. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Load } from '../load/load';
import type { Report } from '../load/tally';
import type { Numbers } from './numbers';
import type { Server } from './servers';

export type Measured = Report & {
	seconds: number;
	/** asked for, events a second */
	rate: number;
	/** µs of CPU time of the serving process for each delivered event, and for each frame, whatever was in it */
	cpuPerEventUs: number;
	cpuPerFrameUs: number;
	/** of the database, besides those that published */
	transactionsPerS: number | null;
	/** of one core, 0 to 1 and above */
	serverShare: number;
	databaseShare: number;
	generatorShare: number;
};

export type Rate = {
	/** how often a second something is handed over */
	times: number;
	/** events in each */
	events: number;
};

const ARRIVED_MS = 20_000;
const OPEN_AT_ONCE = 100;

export async function openClients(load: Load, server: Server, count: number): Promise<void> {
	const { failed } = await load.ask('open', {
		url: server.stream,
		count,
		atOnce: OPEN_AT_ONCE,
		joins: server.joins,
	});
	if (failed > 0) throw new Error(`${server.name}: ${failed} of ${count} clients got no stream`);
}

/** Hands over evenly; never waits for an answer before the next, as those who send do not know of each other. */
export async function publishFor(
	server: Pick<Server, 'publish'>,
	numbers: Numbers,
	{ times, events }: Rate,
	seconds: number,
): Promise<void> {
	const started = performance.now();
	const sent: Promise<void>[] = [];
	for (let i = 0; i < times * seconds; i++) {
		const due = started + (i * 1_000) / times - performance.now();
		if (due > 0) await pause(due);
		sent.push(server.publish(numbers.take(events), events));
	}
	await Promise.all(sent);
}

/** @param warmSeconds published before, and not counted */
export async function measure(
	server: Server,
	load: Load,
	numbers: Numbers,
	rate: Rate,
	seconds: number,
	warmSeconds = 2,
): Promise<Measured> {
	await publishFor(server, numbers, rate, warmSeconds);
	await load.ask('until', { upTo: numbers.next() - 1, withinMs: ARRIVED_MS });
	await load.ask('begin', null);
	const from = numbers.next();
	const transactions = await countSettled(server);
	const before = [server.cpuMs(), server.databaseCpuMs(), load.cpuMs(), performance.now()] as const;
	await publishFor(server, numbers, rate, seconds);
	await load.ask('until', { upTo: numbers.next() - 1, withinMs: ARRIVED_MS });
	const after = [server.cpuMs(), server.databaseCpuMs(), load.cpuMs(), performance.now()] as const;
	const report = await load.ask('report', { from, to: numbers.next() });
	const transactionsAfter = await countSettled(server);
	const [cpu, databaseCpu, generatorCpu, ms] = after.map(
		(value, i) => value - (before[i] as number),
	) as [number, number, number, number];
	return {
		...report,
		rate: rate.times * rate.events,
		seconds: ms / 1_000,
		cpuPerEventUs: (1_000 * cpu) / report.delivered,
		cpuPerFrameUs: (1_000 * cpu) / report.frames,
		transactionsPerS:
			transactions === null || transactionsAfter === null
				? null
				: (transactionsAfter - transactions - rate.times * seconds) / (ms / 1_000),
		serverShare: cpu / ms,
		databaseShare: databaseCpu / ms,
		generatorShare: generatorCpu / ms,
	};
}

/** Backends tell their counts once a second. */
async function countSettled(server: Server): Promise<number | null> {
	await pause(1_100);
	return server.transactions();
}

/** A row of a table, in the units of `COLUMNS`. */
export const COLUMNS = [
	'clients × events/s',
	'delivered/s',
	'frames/s',
	'events/frame',
	'p50 ms',
	'p99 ms',
	'CPU µs/event',
	'CPU µs/frame',
	'server CPU',
	'database CPU',
	'its transactions/s',
	'generator CPU',
	'missing',
	'twice',
	'omitted',
	'resets',
];
export function toRow(one: Measured): (string | number)[] {
	const percent = (share: number) => `${Math.round(100 * share)} %`;
	return [
		`${one.clients.toLocaleString('en')} × ${one.rate.toLocaleString('en')}`,
		Math.round(one.delivered / one.seconds).toLocaleString('en'),
		Math.round(one.frames / one.seconds).toLocaleString('en'),
		(one.delivered / one.eventFrames).toFixed(1),
		one.delays?.p50.toFixed(1) ?? '–',
		one.delays?.p99.toFixed(1) ?? '–',
		one.cpuPerEventUs.toFixed(2),
		one.cpuPerFrameUs.toFixed(1),
		percent(one.serverShare),
		percent(one.databaseShare),
		one.transactionsPerS === null ? '–' : Math.round(one.transactionsPerS),
		percent(one.generatorShare),
		one.missing,
		one.twice,
		one.omitted,
		one.resets,
	];
}

export function median(values: number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length / 2;
	return sorted.length % 2 === 1
		? (sorted[Math.floor(middle)] as number)
		: ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
