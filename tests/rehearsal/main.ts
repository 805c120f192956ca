/**
 * `npm run rehearse -- [--sabotage proxy|kill|restore] [--report file]`: prints each step with its outcome, ends at the first that
 * does not pass, and leaves nothing behind. Exit code 1 when one did not.
 */
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import { rehearse, SABOTAGES } from './rehearse';
import { toReport } from './report';

const { values } = parseArgs({
	options: { sabotage: { type: 'string' }, report: { type: 'string' } },
});
const sabotage = SABOTAGES.find((one) => one === values.sabotage) ?? null;
if (values.sabotage !== undefined && sabotage === null) {
	console.error(`--sabotage is "${values.sabotage}" and must be one of ${SABOTAGES.join(', ')}.`);
	process.exit(2);
}
const rehearsed = await rehearse(sabotage, console.log);
console.log(rehearsed.passed ? '\nAll steps passed.' : '\nThe rehearsal ended here.');
if (values.report) {
	const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release().split('-')[0]}, Node ${process.versions.node}`;
	writeFileSync(values.report, toReport(rehearsed, machine));
}
process.exit(rehearsed.passed ? 0 : 1);
