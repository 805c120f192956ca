/**
 * `npm run test:wire [-- --messages 1000000 --seed 1]`: the encoder's round trip at length, on each parser. A failure
 * prints the smallest case found; the seed replays the run.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { PARSERS } from './parsers';
import { assertRoundTrip, cases, MESSAGES_PER_STREAM } from './round-trip';

const { values } = parseArgs({
	options: {
		messages: { type: 'string', default: '1000000' },
		seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
	},
});
const numRuns = Math.ceil(Number(values.messages) / MESSAGES_PER_STREAM);
const seed = Number(values.seed);

for (const [name, parse] of Object.entries(PARSERS)) {
	const started = Date.now();
	let messages = 0;
	const property = fc.asyncProperty(cases, async (one) => {
		messages += one.parts.filter((part) => 'message' in part).length;
		await assertRoundTrip(one, parse);
	});
	const result = await fc.check(property, { numRuns, seed });
	const seconds = ((Date.now() - started) / 1_000).toFixed(0);
	console.log(
		`${name}: ${messages} messages in ${result.numRuns} streams, seed ${seed}, ${seconds} s: ` +
			(result.failed ? 'FAILED' : 'every one came back'),
	);
	if (!result.failed) continue;
	console.error(fc.defaultReportMessage(result));
	process.exitCode = 1;
}
