/** `npm run lint`: fails on words of scripts/testing/plain-words.ts. `npm run words -- --update` lowers the baseline. */
import { readFileSync, writeFileSync } from 'node:fs';
import { findTooMany, lower, readTexts, type Baseline } from './testing/plain-words';

const FILE = 'scripts/testing/plain-words.json';
const baseline = JSON.parse(readFileSync(FILE, 'utf8')) as Baseline;
const sum = (one: Baseline) => Object.values(one).reduce((all, count) => all + count, 0);

const texts = readTexts();
const faults = findTooMany(texts, baseline);
const left = lower(texts, baseline);
if (faults.length > 0) {
	console.error(`Words that are hard to read:\n${faults.join('\n')}`);
	process.exitCode = 1;
} else if (process.argv.includes('--update')) {
	writeFileSync(FILE, `${JSON.stringify(left, null, 2)}\n`);
	console.log(`The baseline has ${sum(left)} words; it had ${sum(baseline)}.`);
} else if (sum(left) < sum(baseline)) {
	console.log(
		`${sum(baseline) - sum(left)} words fewer than the baseline: npm run words -- --update.`,
	);
}
