/** Many viewers of the whole system, each with a view of its own: what the server spends, and when frames arrive. */
import { setTimeout as pause } from 'node:timers/promises';
import { toFilterTexts, type Filter } from '../../src/lib/filter';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { createRowMatch } from '../../src/lib/server/live/match-row';
import { startLoad } from '../load/load';
import { nowUs, type Delays } from '../load/tally';
import { cpuMs } from '../load/process-usage';
import type { Target } from '../setup/target';
import { BY, createRows, type BenchRow } from './rows';

export type Crowd = {
	views: number;
	/** of one core */
	serverShare: number;
	generatorShare: number;
	delays: Delays | null;
	delivered: number;
	missing: number;
	twice: number;
	frames: number;
	bytesPerFrame: number;
	seconds: number;
};

const TRANSACTIONS_PER_S = 100;
const ARRIVED_MS = 20_000;
const WARM_S = 3;
/** Below what one address may open in a minute. */
const VIEWS_PER_ADDRESS = 50;

export const toQuery = (filter: Filter) =>
	new URLSearchParams([
		...toFilterTexts(filter).map((text) => ['f', text]),
		['by', BY.join(',')],
	]).toString();

/** From the clock of this machine, which the database has too, to that of the tally. */
const TO_TALLY_US = nowUs() - Math.round(1_000 * (performance.timeOrigin + performance.now()));

/**
 * One transaction with these events, numbered from `from` on. Their time is the one at which Postgres writes them, just
 * before it commits: what a transaction waits for before that is not ours.
 */
export async function insertRows(sql: Sql, rows: readonly BenchRow[], from: number): Promise<void> {
	const all = rows.map(({ properties, ...row }, i) => ({
		...row,
		properties: { ...properties, n: from + i },
	}));
	await sql`
		insert into nowboard.events (name, source, session_id, properties, context)
		select name, source, "sessionId", properties || jsonb_build_object(
				't', (1e6 * extract(epoch from clock_timestamp()))::bigint + ${TO_TALLY_US}::bigint), context
		from jsonb_to_recordset(${JSON.stringify(all)}::text::jsonb)
			as rows (name text, source text, "sessionId" text, properties jsonb, context jsonb)`;
}

/** @param filters one viewer each @param rate events a second @returns the share of a core, and delays from the commit */
export async function measureCrowd(
	target: Target,
	filters: readonly Filter[],
	rate: number,
	seconds: number,
	seed: number,
): Promise<Crowd> {
	const sql = connect(target.databaseUrl, { max: 4 });
	const load = startLoad();
	const next = createRows(seed);
	const matches = filters.map((filter) => createRowMatch({ filter }));
	let number = 0;
	let due = 0;
	async function insertFor(seconds: number) {
		const started = performance.now();
		const sent: Promise<void>[] = [];
		due = 0;
		for (let i = 0; i < TRANSACTIONS_PER_S * seconds; i++) {
			const wait = started + (i * 1_000) / TRANSACTIONS_PER_S - performance.now();
			if (wait > 0) await pause(wait);
			const rows = Array.from({ length: rate / TRANSACTIONS_PER_S }, next);
			for (const row of rows) for (const match of matches) if (match(row)) due++;
			sent.push(insertRows(sql, rows, number));
			number += rows.length;
		}
		await Promise.all(sent);
	}
	/** until all viewers have what they are due, or the time is over */
	async function settle(from: number) {
		const deadline = performance.now() + ARRIVED_MS;
		for (;;) {
			const report = await load.ask('report', { from, to: number });
			const missing = due - report.delivered - report.omitted;
			if (missing <= 0 || performance.now() > deadline) return { ...report, missing };
			await pause(50);
		}
	}
	try {
		const url = `${target.url}/api/dashboard/stream?events=activity`;
		const queries = filters.map(toQuery);
		const opened = await load.ask('open', {
			url,
			queries,
			count: filters.length,
			atOnce: 8,
			joins: 'state',
			perAddress: VIEWS_PER_ADDRESS,
		});
		if (opened.failed > 0) throw new Error(`${opened.failed} viewers got no stream`);
		await insertFor(WARM_S);
		await settle(0);
		await load.ask('begin', null);
		const from = number;
		const began = [performance.now(), cpuMs(target.pid), load.cpuMs()] as const;
		await insertFor(seconds);
		const report = await settle(from);
		const ms = performance.now() - began[0];
		return {
			views: filters.length,
			serverShare: (cpuMs(target.pid) - began[1]) / ms,
			generatorShare: (load.cpuMs() - began[2]) / ms,
			delays: report.delays,
			delivered: report.delivered,
			missing: report.missing,
			twice: report.twice,
			frames: report.frames,
			bytesPerFrame: report.bytes / report.frames,
			seconds: ms / 1_000,
		};
	} finally {
		await load.stop();
		await sql.end({ timeout: 1 });
	}
}
