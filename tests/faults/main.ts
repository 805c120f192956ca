/**
 * `npm run test:faults -- [--events 20000] [--rate 400] [--clients 50] [--faults 20] [--instances 2] [--seed N] [--relay] [--report file]`
 * (needs `npm run build` before). Prints its seed first; exits with 1 when the guarantee did not hold.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { findFailures, toReport } from './report';
import { runFaults } from './run';

/** Longer than the server bears. */
const STALL_MS = 40_000;

const { values } = parseArgs({
	options: {
		events: { type: 'string', default: '20000' },
		rate: { type: 'string', default: '400' },
		clients: { type: 'string', default: '50' },
		faults: { type: 'string', default: '20' },
		instances: { type: 'string', default: '2' },
		seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
		relay: { type: 'boolean', default: false },
		report: { type: 'string' },
	},
});
const { report, relay, ...numbers } = values;
const options = Object.fromEntries(
	Object.entries(numbers).map(([name, text]) => {
		const value = Number(text);
		if (!Number.isInteger(value) || value < 0)
			throw new Error(`--${name} is "${text}" and must be a whole number.`);
		return [name, value];
	}),
) as Record<keyof typeof numbers, number>;
const command = `npm run test:faults -- ${Object.entries(options)
	.map(([name, value]) => `--${name} ${value}`)
	.join(' ')}${relay ? ' --relay' : ''}`;

console.log(command);
const result = await runFaults({ ...options, relay, stallMs: STALL_MS, log: console.log });
const text = toReport(
	result,
	{
		cores: cpus().length,
		memoryGb: Math.round(totalmem() / 2 ** 30),
		system: `${type()} ${release().split('-')[0]}`,
		node: process.versions.node,
	},
	command,
);
console.log(text);
if (report) {
	mkdirSync(dirname(report), { recursive: true });
	writeFileSync(report, text);
}
process.exit(findFailures(result).length > 0 ? 1 : 0);
