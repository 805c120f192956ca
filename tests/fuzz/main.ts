/**
 * `npm run test:fuzz`: a million hostile requests against `node build` on a Postgres of its own, while
 * honest viewers read and half-open connections are held. Prints its memory at every tenth. A long run can
 * be made in parts, which add up in the report. Needs `npm run build`.
 * npm run test:fuzz -- [--requests 1000000] [--seed 1] [--part 1 --of 5] [--lurkers 2000] [--report
 * docs/results/fuzz.md]
 */
import { parseArgs } from 'node:util';
import { findPartProblems } from './judge';
import { runPart } from './part';
import { writePart } from './report';
import { BATCH } from './run';

const { values } = parseArgs({
	options: {
		requests: { type: 'string', default: '1000000' },
		seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 30)) },
		part: { type: 'string', default: '1' },
		of: { type: 'string', default: '1' },
		lurkers: { type: 'string', default: '2000' },
		report: { type: 'string' },
	},
});
const number = (name: 'requests' | 'seed' | 'part' | 'of' | 'lurkers') => {
	const value = Number(values[name]);
	if (Number.isSafeInteger(value) && value >= 0) return value;
	throw new Error(`--${name} is "${values[name]}": it must be a whole number.`);
};
const [requests, seed, part, of] = [
	number('requests'),
	number('seed'),
	number('part'),
	number('of'),
];
if (part < 1 || part > of) throw new Error(`--part is ${part}: it must be 1 to ${of}.`);
const batches = Math.ceil(requests / BATCH);
const from = Math.floor((batches * (part - 1)) / of);
const to = Math.floor((batches * part) / of);

console.log(`seed ${seed}, ${requests} requests, part ${part} of ${of}`);
const result = await runPart({
	seed,
	batches: [from, to],
	lurkers: number('lurkers'),
	tell: console.log,
});
const { answers, accepted, rows, calm, attacked, seconds, lurkers, left } = result;
for (const [kind, statuses] of answers)
	console.log(
		`${kind}: ${[...statuses]
			.sort()
			.map(([status, count]) => `${status || 'closed'} ${count}`)
			.join(', ')}`,
	);
console.log(
	`${(result.requests / seconds).toFixed(0)} requests a second; the server took ${(result.cpuMs / result.requests).toFixed(2)} ms of a core for each`,
);
console.log(`${accepted} events acknowledged, ${rows} rows`);
console.log(
	`forms granted: ${Object.entries(result.granted)
		.map(([action, times]) => `${action} ${times}`)
		.join(', ')}`,
);
console.log(
	`left when all had gone: heap ${left.heap.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' → ')} MiB, sockets ${left.sockets.join(' → ')}`,
);
console.log(
	`${lurkers.opened} half-open connections: the server ended ${lurkers.headsEnded} heads, the oldest after ${(lurkers.oldestMs.head / 1_000).toFixed(0)} s, and ${lurkers.bodiesEnded} bodies, the oldest after ${(lurkers.oldestMs.body / 1_000).toFixed(0)} s`,
);
for (const [name, looked] of Object.entries({ calm, attacked }))
	console.log(
		`${name}: p50 ${looked.p50.toFixed(0)} ms, p99 ${looked.p99.toFixed(0)} ms, ${looked.unseen} of ${looked.events} events not seen by all`,
	);
const problems = findPartProblems(result);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
if (values.report) {
	const command = `npm run test:fuzz -- --requests ${requests} --seed ${seed} --report ${values.report}`;
	writePart(values.report, { command, seed, of }, part, result);
}
