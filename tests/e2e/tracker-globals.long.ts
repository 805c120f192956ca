import { brokenPages, WAYS } from './broken-globals';
import { test } from './guest-page';

test.setTimeout(1_800_000);

for (const [index, way] of WAYS.entries())
	test(`${way}, alone and with anything else: events go on, or wait for the next page`, async ({
		cases,
	}) => {
		const others = WAYS.slice(index + 1).map((other) => [way, other]);
		await cases(brokenPages([[way], ...others]), { clock: true });
	});
