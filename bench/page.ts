/**
 * The first view by Lighthouse, on a desktop and on a phone: medians of several runs, beside the load of this machine, on which the
 * scores depend. Measures a running dashboard, by default the demo's. `--against` measures another one in turn, such as that of
 * an earlier commit: both see the same load.
 *
 * npm run bench:page -- [--url http://localhost:3000] [--against http://localhost:3001] [--runs 5] [--save]   (start `npm run demo` before)
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import lighthouse, { desktopConfig } from 'lighthouse';
import { chromium } from 'playwright';
import { freePort } from '../scripts/process/ports';
import { chromiumLaunchOptions } from '../scripts/testing/browser';
import { quantile } from './report/quantile';
import { tell } from './report/result';

const { values } = parseArgs({
	options: {
		url: { type: 'string', default: 'http://localhost:3000' },
		against: { type: 'string' },
		runs: { type: 'string', default: '5' },
		save: { type: 'boolean' },
	},
});
const runs = Number(values.runs);

const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'];
const TIMES = [
	...['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time'],
	...['mainthread-work-breakdown', 'bootup-time'],
];
const SHIFT = 'cumulative-layout-shift';

/** Numbers of one run, in the order of the columns. */
async function look(url: string, form: 'desktop' | 'mobile'): Promise<number[]> {
	const port = await freePort();
	const { args = [], ...options } = chromiumLaunchOptions();
	const browser = await chromium.launch({
		...options,
		args: [...args, `--remote-debugging-port=${port}`],
	});
	try {
		const config = form === 'desktop' ? desktopConfig : undefined;
		const result = await lighthouse(url, { port, logLevel: 'error' }, config);
		if (!result || result.lhr.runtimeError)
			throw new Error(`Lighthouse failed: ${result?.lhr.runtimeError?.message ?? 'no result'}`);
		const { categories, audits } = result.lhr;
		return [
			...CATEGORIES.map((name) => 100 * (categories[name]?.score ?? NaN)),
			...[...TIMES, SHIFT].map((name) => audits[name]?.numericValue ?? NaN),
		];
	} finally {
		await browser.close();
	}
}

const pages = [
	{ name: 'this build', url: values.url },
	...(values.against ? [{ name: 'the other', url: values.against }] : []),
];
const rows: (string | number)[][] = [];
for (const form of ['desktop', 'mobile'] as const) {
	const seen = pages.map((): number[][] => []);
	for (let run = 0; run < runs; run++)
		for (const [i, { url }] of pages.entries()) seen[i]?.push(await look(url, form));
	for (const [i, { name }] of pages.entries()) {
		const taken = seen[i] ?? [];
		const medians = (taken[0] ?? []).map((_, column) =>
			quantile(
				taken.map((run) => run[column] as number),
				0.5,
			),
		);
		rows.push([
			form,
			name,
			...medians.map((value, column) =>
				column === medians.length - 1 ? value.toFixed(3) : Math.round(value),
			),
			(loadavg()[0] ?? 0).toFixed(1),
		]);
	}
}

tell({
	name: 'page',
	title: 'The first view',
	question: `The dashboard by Lighthouse, which slows the processor to a quarter for the phone; medians of ${runs} runs.`,
	tables: [
		{
			caption: 'Scores of 100, and times in ms',
			columns: [
				'form',
				'page',
				'performance',
				'accessibility',
				'best practices',
				'SEO',
				'first paint',
				'largest paint',
				'blocking',
				'main thread',
				'scripts',
				'layout shift',
				'load of the machine',
			],
			rows,
		},
	],
});
