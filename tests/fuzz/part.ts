/** One part of a run: a server and a Postgres of its own, honest viewers before and while it is attacked, and what is left of it. */
import { cpuMs, rssBytes } from '../../bench/load/process-usage';
import { startTarget } from '../../bench/setup/target';
import { connect } from '../../src/lib/server/db/connect';
import { HEAP_LEFT } from './judge';
import { startHonestViewers, type Looked } from './honest';
import { lurk, type Lurked } from './lurk';
import { createNames, runFuzz, type FuzzResult } from './run';

const SECRET = 'a secret of the fuzz suite, long enough';
const METRICS_TOKEN = 'a token of the fuzz suite for the metrics';
const CALM_MS = 20_000;
const TOLD = 10;
/** Counts of unauthenticated clients expire after a minute at most. */
const REST_MS = 80_000;
const REST_STEP_MS = 2_000;

export type PartResult = FuzzResult & {
	seconds: number;
	/** of the server, while it was attacked */
	cpuMs: number;
	calm: Looked;
	attacked: Looked;
	/** bytes after a garbage collection, at each tenth */
	heap: number[];
	resident: number[];
	lurkers: Lurked;
	/** heap and sockets of the server before the attack, and after all clients left and counts expired */
	left: { heap: [before: number, after: number]; sockets: [before: number, after: number] };
	/** answers /readyz at the end */
	ready: boolean;
};

export async function runPart({
	seed,
	batches,
	lurkers: atOnce,
	tell = () => {},
}: {
	seed: number;
	batches: readonly [number, number];
	lurkers: number;
	tell?: (line: string) => void;
}): Promise<PartResult> {
	const target = await startTarget(undefined, {
		DASHBOARD_PUBLIC: 'false',
		DASHBOARD_PASSWORD: 'a password beyond guessing',
		SECRET,
		METRICS_TOKEN,
		ADDRESS_HEADER: 'x-forwarded-for',
		LOG_LEVEL: 'error',
	});
	const sql = connect(target.databaseUrl, { max: 2, applicationName: 'nowboard fuzz' });
	/** sockets without those to Postgres, which are made when they are first needed */
	const hold = async () => {
		const { heapUsed, resources } = await target.probe();
		const [row] = await sql<{ own: number }[]>`
			select count(*)::int as own from pg_stat_activity where application_name = 'nowboard'`;
		return { heap: heapUsed, sockets: (resources['TCPSocketWrap'] ?? 0) - (row?.own ?? NaN) };
	};
	try {
		const names = await createNames(target.url, sql, SECRET, METRICS_TOKEN);
		const before = await hold();
		const honest = await startHonestViewers({
			origin: target.url,
			databaseUrl: target.databaseUrl,
			session: names.session,
		});
		await new Promise((resolve) => setTimeout(resolve, CALM_MS));
		const calm = await honest.report();
		const lurking = lurk(target.url, atOnce);
		const heap: number[] = [];
		const resident: number[] = [];
		const started = performance.now();
		const cpuBefore = cpuMs(target.pid);
		const count = batches[1] - batches[0];
		const result = await runFuzz({
			names,
			sql,
			seed,
			batches,
			async onBatch(done) {
				if (done < ((heap.length + 1) * count) / TOLD) return;
				heap.push((await target.probe()).heapUsed);
				resident.push(rssBytes(target.pid));
				tell(`${done} of ${count} batches: heap ${toMib(heap.at(-1))} MiB`);
			},
		});
		const cpu = cpuMs(target.pid) - cpuBefore;
		const seconds = (performance.now() - started) / 1_000;
		const attacked = await honest.report();
		const ready = (await fetch(`${target.url}/readyz`)).ok;
		const lurkers = lurking.counts();
		// half an hour of what came stands in the figures: without rows they have nothing to hold
		await sql`truncate nowboard.events`;
		await honest.stop();
		lurking.stop();
		let after = await hold();
		for (let waited = 0; waited < REST_MS; waited += REST_STEP_MS) {
			if (after.heap - before.heap < HEAP_LEFT / 2 && after.sockets <= before.sockets) break;
			await new Promise((resolve) => setTimeout(resolve, REST_STEP_MS));
			after = await hold();
		}
		return {
			...result,
			...{ seconds, cpuMs: cpu, calm, attacked, heap, resident, lurkers, ready },
			left: {
				heap: [before.heap, after.heap],
				sockets: [before.sockets, after.sockets],
			},
		};
	} finally {
		await sql.end({ timeout: 1 });
		await target.stop();
	}
}

const toMib = (bytes = NaN) => (bytes / 2 ** 20).toFixed(1);
