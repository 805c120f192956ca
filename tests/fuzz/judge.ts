/** What may not come of a run. Pure. */
import type { PartResult } from './part';
import type { FuzzResult } from './run';

/** Everything that is remembered of strangers is bounded; what a heap may still gain in the second half of a part. */
export const HEAP_GAIN = 6 * 2 ** 20;
/** What people still call live, on a machine that is busy with the attack. */
export const HONEST_P99_MS = 1_000;
const KINDS = 15;

/** Sentences; empty when all is well. */
export function findProblems({ failures, accepted, rows, answers }: FuzzResult): string[] {
	const problems = [...failures];
	if (accepted !== rows) problems.push(`${accepted} events were acknowledged, ${rows} rows came`);
	if (accepted === 0) problems.push('nothing was accepted: good events are among what is sent');
	if (answers.size < KINDS) problems.push(`only ${answers.size} kinds of requests were sent`);
	return problems;
}

export function findPartProblems(part: PartResult): string[] {
	const problems = findProblems(part);
	const { heap, attacked, ready, sockets } = part;
	const gain = (heap.at(-1) ?? NaN) - (heap[Math.floor(heap.length / 2) - 1] ?? NaN);
	if (!(gain <= HEAP_GAIN)) problems.push(`the heap gained ${gain} bytes in the second half`);
	if (!(attacked.p99 <= HONEST_P99_MS))
		problems.push(`p99 of the honest viewers was ${attacked.p99} ms`);
	if (attacked.unseen > 0)
		problems.push(`${attacked.unseen} events were not seen by honest viewers`);
	if (!ready) problems.push('the server was not ready at the end');
	if (sockets[1] > sockets[0])
		problems.push(`${sockets[0]} sockets at the beginning, ${sockets[1]} when all had gone`);
	return problems;
}
