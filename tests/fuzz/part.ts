/** One part of a run: a server and a Postgres of its own, honest viewers before and while it is attacked, and what is left of it. */
import { rssBytes } from '../../bench/process-usage';
import { startTarget } from '../../bench/target';
import { connect } from '../../src/lib/server/db/connect';
import { startHonestViewers, type Looked } from './honest';
import { lurk } from './lurk';
import { createNames, runFuzz, type FuzzResult } from './run';

const SECRET = 'a secret of the fuzz suite, long enough';
const CALM_MS = 10_000;
const TOLD = 10;
/** After the last connection is gone. */
const REST_MS = 3_000;

export type PartResult = FuzzResult & {
	seconds: number;
	calm: Looked;
	attacked: Looked;
	/** bytes after a garbage collection, at each tenth */
	heap: number[];
	resident: number[];
	lurkers: { opened: number; ended: number };
	/** sockets of the server before, and after everybody has gone */
	sockets: [before: number, after: number];
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
		DASHBOARD_PASSWORD: 'a password that nobody guesses',
		SECRET,
		ADDRESS_HEADER: 'x-forwarded-for',
		LOG_LEVEL: 'error',
	});
	const sql = connect(target.databaseUrl, { max: 2 });
	const countSockets = async () => (await target.probe()).resources['TCPSocketWrap'] ?? 0;
	try {
		const names = await createNames(target.url, sql, SECRET);
		const before = await countSockets();
		const honest = startHonestViewers(target.url, sql, names.session);
		await new Promise((resolve) => setTimeout(resolve, CALM_MS));
		const calm = await honest.report();
		const lurking = lurk(target.url, atOnce);
		const heap: number[] = [];
		const resident: number[] = [];
		const started = performance.now();
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
		const seconds = (performance.now() - started) / 1_000;
		const attacked = await honest.report();
		const ready = (await fetch(`${target.url}/readyz`)).ok;
		honest.stop();
		lurking.stop();
		await new Promise((resolve) => setTimeout(resolve, REST_MS));
		const after = await countSockets();
		const lurkers = lurking.counts();
		return {
			...result,
			...{ seconds, calm, attacked, heap, resident, lurkers, ready },
			sockets: [before, after],
		};
	} finally {
		await sql.end({ timeout: 1 });
		await target.stop();
	}
}

const toMib = (bytes = NaN) => (bytes / 2 ** 20).toFixed(1);
