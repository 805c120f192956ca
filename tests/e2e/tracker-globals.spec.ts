/** Each way of breaking a page, at each moment; tracker-globals.long.ts has all pairs, and each way alone at both moments. */
import { brokenPages, WAYS } from './broken-globals';
import { test } from './guest-page';

test('whatever the page broke before the script came, events go on', async ({ cases }) => {
	await cases(
		brokenPages(
			WAYS.map((way) => [way]),
			['before'],
		),
		{ clock: true },
	);
});

test('two things broken after it came: events go on, or wait for the next page', async ({
	cases,
}) => {
	const half = WAYS.length / 2;
	// each way once; so far apart that no page loses both the answers of fetch and its storage
	const pairs = WAYS.slice(0, half).map((way, i) => [way, WAYS[half + ((i + 8) % half)]!]);
	await cases(brokenPages(pairs, ['after']), { clock: true });
});
