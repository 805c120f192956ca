/** Writes down what the parts of a run have shown, and adds them up. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { toMachine } from '../../bench/report/result';
import { findPartProblems } from './judge';
import type { PartResult } from './part';

type Run = { command: string; machine: string; seed: number; of: number };
type Kept = Run & { parts: Record<number, Part> };
type Part = Omit<PartResult, 'answers'> & {
	answers: Record<string, Record<string, number>>;
	problems: string[];
};

/** @param file ends with .md; the data lies beside it as .json. A part of another run (seed, number of parts) begins a new report. */
export function writePart(file: string, run: Omit<Run, 'machine'>, at: number, part: PartResult) {
	const data = file.replace(/\.md$/, '.json');
	const before = existsSync(data) ? (JSON.parse(readFileSync(data, 'utf8')) as Kept) : null;
	const same = before?.seed === run.seed && before.of === run.of;
	const answers = Object.fromEntries(
		[...part.answers].map(([kind, statuses]) => [kind, Object.fromEntries(statuses)]),
	);
	const kept: Kept = {
		...run,
		machine: toMachine(),
		parts: {
			...(same ? before.parts : {}),
			[at]: { ...part, answers, problems: findPartProblems(part) },
		},
	};
	writeFileSync(data, `${JSON.stringify(kept, null, 2)}\n`);
	writeFileSync(file, toReport(kept));
}

const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
const whole = (value: number) => Math.round(value).toLocaleString('en');
const mib = (bytes = NaN) => (bytes / 2 ** 20).toFixed(1);

export function toReport({ command, machine, seed, of, parts }: Kept): string {
	const all = Object.entries(parts);
	const sum = (pick: (part: Part) => number) =>
		all.reduce((total, [, part]) => total + pick(part), 0);
	const problems = all.flatMap(([at, part]) => part.problems.map((one) => `part ${at}: ${one}`));
	const answers: Record<string, Record<string, number>> = {};
	for (const [, part] of all)
		for (const [kind, statuses] of Object.entries(part.answers))
			for (const [status, count] of Object.entries(statuses)) {
				const row = (answers[kind] ??= {});
				row[status] = (row[status] ?? 0) + count;
			}
	return `# The fuzz suite

Written by \`${command}\` (seed ${seed}; ${all.length} of ${of} parts) on ${machine}. The requests are the same for the same seed.
Beside them ten viewers who had logged in had an event every half second, and others held half-open connections. Sender, viewers, server and
Postgres shared the machine.

**${problems.length === 0 ? 'No answer of 5xx, no row in any table that was not acknowledged, none missing; nothing was left behind.' : `${problems.length} problems.`}**
${problems
	.slice(0, 20)
	.map((problem) => `\n- ${problem.replaceAll('`', "'")}`)
	.join('')}
| | |
| --- | ---: |
${[
	['Requests', whole(sum(({ requests }) => requests))],
	['Seconds', whole(sum(({ seconds }) => seconds))],
	['Answers of 5xx', sum(({ answers }) => count(answers, (status) => status >= 500))],
	[
		'Connections closed without an answer',
		whole(sum(({ answers }) => count(answers, (s) => s === 0))),
	],
	['Events acknowledged', whole(sum(({ accepted }) => accepted))],
	['Rows', whole(sum(({ rows }) => rows))],
	['Forms under Settings granted', whole(sum(({ granted }) => total(granted)))],
	['Rows of other tables that they do not explain', sum(({ unexplained }) => unexplained.length)],
	['Half-open connections opened', whole(sum(({ lurkers }) => lurkers.opened))],
	[
		'of them half a head or nothing: ended by the server, the oldest after s',
		toEnded(all, 'headsEnded', 'head'),
	],
	['of them half a body: ended, the oldest after s', toEnded(all, 'bodiesEnded', 'body')],
	['Events that an honest viewer did not see', sum(({ attacked }) => attacked.unseen)],
]
	.map(line)
	.join('\n')}

Each part has a server of its own; its heap after a garbage collection, before, at each tenth, and when all clients had left, the events were deleted and
what is remembered for a minute was forgotten. The figures hold half an hour of events: until then it is theirs that grows.

| Part | Heap MiB before | at each tenth | left | Resident MiB | Honest p50 / p99 ms, calm | attacked |
| ---: | ---: | --- | ---: | ---: | ---: | ---: |
${all
	.map(([at, { heap, resident, left, calm, attacked }]) =>
		line([
			at,
			mib(left.heap[0]),
			heap.map(mib).join(', '),
			mib(left.heap[1]),
			`${mib(resident[0])} → ${mib(resident.at(-1))}`,
			`${whole(calm.p50)} / ${whole(calm.p99)}`,
			`${whole(attacked.p50)} / ${whole(attacked.p99)}`,
		]),
	)
	.join('\n')}

What was answered, by kind of request:

| Kind | Answers |
| --- | --- |
${Object.entries(answers)
	.sort(([a], [b]) => a.localeCompare(b))
	.map(([kind, statuses]) =>
		line([
			kind,
			Object.entries(statuses)
				.map(([status, times]) => `${status === '0' ? 'closed' : status}: ${whole(times)}`)
				.join(', '),
		]),
	)
	.join('\n')}
`;
}

const total = (counts: Record<string, number>) =>
	Object.values(counts).reduce((sum, one) => sum + one, 0);

function toEnded(
	parts: [string, Part][],
	ended: 'headsEnded' | 'bodiesEnded',
	of: 'head' | 'body',
): string {
	const times = parts.reduce((sum, [, { lurkers }]) => sum + lurkers[ended], 0);
	const oldest = Math.max(0, ...parts.map(([, { lurkers }]) => lurkers.oldestMs[of]));
	return `${whole(times)}, ${whole(oldest / 1_000)}`;
}

function count(
	answers: Record<string, Record<string, number>>,
	matches: (status: number) => boolean,
): number {
	return Object.values(answers)
		.flatMap((statuses) => Object.entries(statuses))
		.filter(([status]) => matches(Number(status)))
		.reduce((total, [, times]) => total + times, 0);
}
