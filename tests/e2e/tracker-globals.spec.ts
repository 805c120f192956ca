import { brokenPages, WAYS } from './broken-globals';
import { test } from './guest-page';

test('whatever the page broke, events go on', async ({ cases }) => {
	await cases(brokenPages(WAYS.map((way) => [way])), { clock: true });
});

/** A few that never change; tracker-globals.long.ts has all. */
test('two things at once: events go on, or wait for the next page', async ({ cases }) => {
	const pairs = WAYS.filter((_, index) => index % 4 === 0).map((way, index) => [
		way,
		WAYS[(index * 7 + 5) % WAYS.length]!,
	]);
	await cases(brokenPages(pairs), { clock: true });
});
