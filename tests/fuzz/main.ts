/**
 * `npm run test:fuzz`: a million requests that nobody should send, against `node build` on a Postgres of its own, while honest
 * viewers look; what it holds in memory is told at every tenth.
 *
 * npm run test:fuzz -- [--requests 1000000] [--seed 1]   (needs `npm run build` before)
 */
import { parseArgs } from 'node:util';
import { quantile } from '../../bench/quantile';
import { rssBytes } from '../../bench/process-usage';
import { followEvents } from '../../bench/follow';
import { startTarget } from '../../bench/target';
import { connect } from '../../src/lib/server/db/connect';
import { findProblems, runFuzz } from './run';

const { values } = parseArgs({
	options: {
		requests: { type: 'string', default: '1000000' },
		seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 30)) },
	},
});
const requests = Number(values.requests);
const seed = Number(values.seed);
const LOOK_MS = 500;

const target = await startTarget();
const sql = connect(target.databaseUrl, { max: 2 });
const delays: number[] = [];
const waiting = new Map<string, number>();
const following = followEvents(`${target.url}/api/dashboard/stream?source=honest`, (id) => {
	const sent = waiting.get(id);
	if (sent === undefined) return;
	waiting.delete(id);
	delays.push(performance.now() - sent);
});
let honest = 0;
const looking = setInterval(() => {
	const id = crypto.randomUUID();
	waiting.set(id, performance.now());
	honest++;
	void sql`insert into events (event_id, name, source) values (${id}, 'look', 'honest')`.catch(
		() => {},
	);
}, LOOK_MS);

console.log(`seed ${seed}, ${requests} requests`);
const started = performance.now();
let told = 0;
try {
	const result = await runFuzz({
		url: target.url,
		sql,
		seed,
		requests,
		async onBatch(done) {
			if (done < (told + 1) * (requests / 10)) return;
			told++;
			const { heapUsed } = await target.probe();
			console.log(
				`${done} requests: heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB, resident ${(rssBytes(target.pid) / 2 ** 20).toFixed(0)} MiB`,
			);
		},
	});
	clearInterval(looking);
	const seconds = (performance.now() - started) / 1_000;
	console.log(`${(requests / seconds).toFixed(0)} requests a second`);
	for (const [kind, statuses] of result.answers)
		console.log(
			`${kind}: ${[...statuses]
				.sort()
				.map(([status, count]) => `${status || 'closed'} ${count}`)
				.join(', ')}`,
		);
	console.log(
		`${result.accepted} events acknowledged, ${result.rows - honest} rows; honest viewer: p50 ${quantile(delays, 0.5).toFixed(0)} ms, p99 ${quantile(delays, 0.99).toFixed(0)} ms, ${waiting.size} of ${honest} not seen`,
	);
	const problems = findProblems({ ...result, rows: result.rows - honest });
	for (const problem of problems) console.error(problem);
	if (problems.length > 0) process.exitCode = 1;
} finally {
	clearInterval(looking);
	following.stop();
	await sql.end({ timeout: 1 });
	await target.stop();
}
