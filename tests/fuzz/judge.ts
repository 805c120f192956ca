/** What may not come of a run. Pure. */
import type { Looked } from './honest';
import type { PartResult } from './part';
import type { FuzzResult } from './run';

/** Beside what is remembered for good (ten thousand tokens and keys, 7 MiB of history): compiled code, and what the collector does not find at once. */
export const HEAP_LEFT = 24 * 2 ** 20;
/**
 * Counts of unauthenticated clients are bounded: what the heap may still gain in the second half of a part.
 */
export const HEAP_GAIN = 6 * 2 ** 20;
/** What people still call live, on a machine that is busy with the attack. */
export const HONEST_P99_MS = 1_000;
/** Of p99, beside the calm of the same run. */
export const HONEST_RATIO = 2;
/** Below this the ratio says nothing: two cores are shared with sixteen senders, and a p99 stands on a few values. */
export const HONEST_FLOOR_MS = 250;
/** How long half a head and half a request may stay open: 60 s, checked every 5 s (src/lib/server/http/server.ts). */
export const HEAD_MS = 65_000;
export const REQUEST_MS = 65_000;
/** Of a lurker's clock, on a machine that is busy with the attack. */
const LATE_MS = 5_000;
const KINDS = 20;

/** Sentences; empty when all is well. */
export function findProblems(result: FuzzResult): string[] {
	const { failures, accepted, rows, unexplained, answers } = result;
	const problems = [...failures, ...unexplained];
	if (accepted !== rows) problems.push(`${accepted} events were acknowledged, ${rows} rows came`);
	if (accepted === 0) problems.push('nothing was accepted: good events are among what is sent');
	for (const [action, times] of Object.entries(result.granted))
		if (times === 0) problems.push(`no form "${action}" was granted: good ones are among them`);
	if (answers.size < KINDS) problems.push(`only ${answers.size} kinds of requests were sent`);
	return problems;
}

/** @param floorMs a p99 below it is well, whatever the calm one was @param mostMs one above it is not, whatever the calm one was */
export function findHonestProblems(
	calm: Looked,
	attacked: Looked,
	{ floorMs = HONEST_FLOOR_MS, mostMs = HONEST_P99_MS } = {},
): string[] {
	const problems: string[] = [];
	const most = Math.min(mostMs, Math.max(floorMs, HONEST_RATIO * calm.p99));
	if (!(attacked.p99 <= most))
		problems.push(
			`p99 of the honest viewers was ${attacked.p99.toFixed(0)} ms, and ${calm.p99.toFixed(0)} before: at most ${most.toFixed(0)}`,
		);
	for (const { unseen } of [calm, attacked])
		if (unseen > 0) problems.push(`${unseen} events were not seen by honest viewers`);
	return problems;
}

export function findPartProblems(part: PartResult): string[] {
	const { left, calm, attacked, lurkers, ready } = part;
	const { heap, sockets } = left;
	const gain = (part.heap.at(-1) ?? NaN) - (part.heap[Math.floor(part.heap.length / 2) - 1] ?? NaN);
	const problems = [...findProblems(part), ...findHonestProblems(calm, attacked)];
	if (!(gain <= HEAP_GAIN)) problems.push(`the heap gained ${gain} bytes in the second half`);
	if (!(heap[1] - heap[0] <= HEAP_LEFT))
		problems.push(`the heap had ${heap[0]} bytes before, and ${heap[1]} when all had gone`);
	if (!ready) problems.push('the server was not ready at the end');
	if (!(sockets[1] <= sockets[0]))
		problems.push(`${sockets[0]} sockets at the beginning, ${sockets[1]} when all had gone`);
	const limits = { head: HEAD_MS, body: REQUEST_MS };
	for (const of of ['head', 'body'] as const)
		if (!(lurkers.oldestMs[of] <= limits[of] + LATE_MS))
			problems.push(
				`half a ${of} was held for ${(lurkers.oldestMs[of] / 1_000).toFixed(0)} s: at most ${limits[of] / 1_000}`,
			);
	return problems;
}
