import { brokenPages, WAYS } from './broken-globals';
import { test } from './guest-page';

test.setTimeout(1_800_000);

for (const [index, way] of WAYS.entries())
	test(`${way}, with anything else: events go on, or wait for the next page`, async ({ cases }) => {
		await cases(brokenPages(WAYS.slice(index + 1).map((other) => [way, other])), {
			clock: true,
		});
	});
