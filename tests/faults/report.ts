/** What a run has shown, judged as a whole and written down. Pure. */
import { NAIVE_FOLLOWERS } from './naive-relay';
import type { RunResult } from './run';

const MUST_FAIL = ['id > last', ...Object.keys(NAIVE_FOLLOWERS)];

export type Machine = { cores: number; memoryGb: number; system: string; node: string };

/** Everything that must not be, in sentences; empty when the guarantee held. */
export function findFailures({
	verdicts,
	late,
	crashed,
	untrue,
	naive,
	answers,
}: RunResult): string[] {
	const total = (field: 'lost' | 'twice' | 'ghosts') =>
		verdicts.reduce((sum, verdict) => sum + verdict[field], 0);
	const failures = [
		[total('lost'), 'events lost'],
		[total('twice'), 'events delivered twice'],
		[total('ghosts'), 'events shown that were never committed'],
		[crashed, 'instances that ended by themselves'],
		[untrue, 'events answered 202 and not in the table'],
		[
			answers.filter(([status]) => ![0, 200].includes(status)).length,
			'kinds of answers to clients other than 200',
		],
	]
		.filter(([count]) => (count as number) > 0)
		.map(([count, what]) => `${count} ${what}`);
	failures.push(...late.map((one) => `not caught up in time ${one}`));
	failures.push(...verdicts.flatMap(({ unpromised }) => unpromised));
	// a suite that does not catch these catches nothing
	for (const { name, lost, twice } of naive)
		if (MUST_FAIL.includes(name) && lost + twice === 0)
			failures.push(`the naive reader of "${name}" lost nothing, and nothing twice`);
	if (!naive.some(({ name }) => name === 'id > last')) failures.push('no naive reader ran');
	return failures;
}

/** @param command what to type to run it again */
export function toReport(result: RunResult, machine: Machine, command: string): string {
	const { options, verdicts, faults, naive, posts, answers } = result;
	const sum = (field: 'delivered' | 'omitted' | 'lost' | 'twice' | 'ghosts') =>
		verdicts.reduce((all, verdict) => all + verdict[field], 0).toLocaleString('en');
	const resets = verdicts.reduce((all, verdict) => all + verdict.resets, 0);
	const failures = findFailures(result);
	const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
	const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
	return `# The fault suite

Written by \`${command}\` (seed ${options.seed}) on ${machine.cores} cores, ${machine.memoryGb} GB,
${machine.system}, Node ${machine.node}, Postgres ${result.postgres} with fsync and synchronous_commit on.
${options.instances} instances ${options.relay ? 'with a relay (the last is an edge) ' : ''}of \`node build\`, ${options.clients} clients, ${(result.committed / result.seconds).toFixed(0)} events/s for ${(result.seconds / 60).toFixed(1)} minutes.
The same seed gives the same clients, writers and faults in the same order; how they interleave is the machine's.

**${failures.length === 0 ? 'Nothing was lost, nothing came twice, and nothing was reset or omitted where it is promised that it is not.' : `The guarantee did not hold: ${failures.length} failures.`}**
${failures
	.slice(0, 20)
	.map((failure) => `\n- ${failure}`)
	.join('')}
| | |
| --- | ---: |
${line(['Events committed', result.committed.toLocaleString('en')])}
${line(['Events delivered, to all clients', sum('delivered')])}
${line(['Lost', sum('lost')])}
${line(['Twice', sum('twice')])}
${line(['Shown though never committed', sum('ghosts')])}
${line(['Answered 202 and not in the table', result.untrue])}
${line(['Counted instead of carried (`omitted`), to all clients', sum('omitted')])}
${line(['Resets: the first of each client', options.clients])}
${line(['Resets: beyond the documented distance', resets - options.clients])}
${line(['Resets or omissions where none is promised', verdicts.reduce((all, { unpromised }) => all + unpromised.length, 0)])}
${line(['Instances that ended by themselves', result.crashed])}
${line(['Faults', faults.length])}
${naive.map(({ name, lost, twice }) => line([`Control: lost, and twice, by a reader of "${name}" beside ours`, `${lost.toLocaleString('en')}, ${twice.toLocaleString('en')}`])).join('\n')}
${line(['Answers to clients', answers.map(([status, count]) => `${status === 0 ? 'no connection' : status}: ${count.toLocaleString('en')}`).join(', ')])}
${line(['Answers to POSTs', posts.map(([status, count]) => `${status === 0 ? 'no connection' : status}: ${count.toLocaleString('en')}`).join(', ')])}

How long after a fault was over, until the clients had what was committed when it was over (ms; over all that read at all times):

| Fault | times | p50 | p99 | max |
| --- | ---: | ---: | ---: | ---: |
${kinds
	.map((kind) => {
		const these = faults.filter((fault) => fault.kind === kind);
		const times = these.flatMap(({ catchUpMs }) => catchUpMs).sort((a, b) => a - b);
		const at = (q: number) =>
			(times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0).toFixed(0);
		return line([kind, these.length, at(0.5), at(0.99), at(1)]);
	})
	.join('\n')}
`;
}
