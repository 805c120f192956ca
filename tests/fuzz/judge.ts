/** What may not come of a run. Pure. */
import type { PartResult } from './part';
import type { FuzzResult } from './run';

/** Beside what is remembered for good (ten thousand tokens and keys): compiled code, and what the collector does not find at once. */
export const HEAP_LEFT = 16 * 2 ** 20;
/** Connections to Postgres are made when they are first needed. */
export const SOCKETS_LEFT = 8;
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
	const { left, attacked, ready } = part;
	const { heap, sockets } = left;
	if (!(heap[1] - heap[0] <= HEAP_LEFT))
		problems.push(`the heap had ${heap[0]} bytes before, and ${heap[1]} when all had gone`);
	if (!(attacked.p99 <= HONEST_P99_MS))
		problems.push(`p99 of the honest viewers was ${attacked.p99} ms`);
	if (attacked.unseen > 0)
		problems.push(`${attacked.unseen} events were not seen by honest viewers`);
	if (!ready) problems.push('the server was not ready at the end');
	if (!(sockets[1] - sockets[0] <= SOCKETS_LEFT))
		problems.push(`${sockets[0]} sockets at the beginning, ${sockets[1]} when all had gone`);
	return problems;
}
