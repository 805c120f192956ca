/**
 * `npm run test:repeat -- [--times 5] [--busy 0] [--save]`: clones the committed HEAD again and again and runs in each clone what
 * the README tells: `npm install && npm test`. `--busy 2` keeps two cores busy meanwhile. Prints a table of the runs;
 * `--save` adds it to docs/results/tests.md. Fails when a run failed.
 */
import { parseArgs } from 'node:util';
import { saveRuns, toTable, type Run } from './testing/repeat-report';
import { cloneAndTest, startLoad } from './testing/repeat-run';

const { values } = parseArgs({
	options: {
		times: { type: 'string', default: '5' },
		busy: { type: 'string', default: '0' },
		save: { type: 'boolean', default: false },
	},
});
const number = (name: 'times' | 'busy', least: number) => {
	const value = Number(values[name]);
	if (Number.isInteger(value) && value >= least) return value;
	throw new Error(`--${name} is "${values[name]}" and must be a whole number from ${least}.`);
};
const [times, busy] = [number('times', 1), number('busy', 0)];

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

const runs: Run[] = [];
const stopLoad = startLoad(busy);
try {
	while (runs.length < times && !stopping.signal.aborted) {
		const run = { busy, ...(await cloneAndTest(stopping.signal)) };
		if (stopping.signal.aborted) break;
		runs.push(run);
		console.log(`run ${runs.length} of ${times}: ${run.result}, ${run.minutes.toFixed(1)} min`);
	}
} finally {
	stopLoad();
}
console.log(`\n${toTable(runs)}`);
if (values.save && runs.length > 0) saveRuns(runs);
process.exitCode = runs.length === times && runs.every(({ passed }) => passed) ? 0 : 1;
