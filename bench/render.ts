/**
 * The open dashboard in a real Chromium while events come: time of the main thread, tasks over 50 ms, memory, and whether it shows all of them.
 *
 * npm run bench:render -- [--rates 10,100,1000] [--seconds 20] [--save]   (needs `npm run build` before)
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { chromiumLaunchOptions } from '../scripts/testing/browser';
import { publishFor } from './setup/measure';
import { createNumbers } from './setup/numbers';
import { tell } from './report/result';
import { startOurs } from './setup/servers';

const { values } = parseArgs({
	options: {
		rates: { type: 'string', default: '10,100,1000' },
		seconds: { type: 'string', default: '20' },
		save: { type: 'boolean' },
	},
});
const seconds = Number(values.seconds);
const WARM_S = 5;

type Metrics = Record<string, number>;
const server = await startOurs();
const browser = await chromium.launch(chromiumLaunchOptions());
try {
	const numbers = createNumbers();
	const rows: (string | number)[][] = [];
	for (const rate of String(values.rates).split(',').map(Number)) {
		const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
		await page.addInitScript(() => {
			const tasks: { start: number; ms: number }[] = [];
			Object.assign(window, { tasks });
			new PerformanceObserver((list) => {
				for (const { startTime, duration } of list.getEntries())
					tasks.push({ start: startTime, ms: duration });
			}).observe({ type: 'longtask', buffered: true });
		});
		const devtools = await page.context().newCDPSession(page);
		await devtools.send('Performance.enable');
		const look = async (): Promise<Metrics> => {
			await devtools.send('HeapProfiler.collectGarbage');
			const { metrics } = await devtools.send('Performance.getMetrics');
			return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
		};
		await page.goto(new URL(server.stream).origin);
		await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
		const times = Math.min(rate, 100);
		const pace = { times, events: rate / times };
		await publishFor(server, numbers, pace, WARM_S);
		await page.evaluate(() => ((window as unknown as { tasks: unknown[] }).tasks.length = 0));
		const before = await look();
		await publishFor(server, numbers, pace, seconds);
		const after = await look();
		await pause(1_000);
		const tasks = await page.evaluate(
			() => (window as unknown as { tasks: { ms: number }[] }).tasks,
		);
		const share = (key: string) =>
			(((after[key] as number) - (before[key] as number)) /
				((after.Timestamp as number) - (before.Timestamp as number))) *
			100;
		rows.push([
			rate.toLocaleString('en'),
			`${share('TaskDuration').toFixed(1)} %`,
			`${share('ScriptDuration').toFixed(1)} %`,
			`${(share('LayoutDuration') + share('RecalcStyleDuration')).toFixed(1)} %`,
			tasks.length,
			tasks.length === 0 ? '–' : Math.max(...tasks.map(({ ms }) => ms)).toFixed(0),
			((before.JSHeapUsedSize as number) / 2 ** 20).toFixed(1),
			((after.JSHeapUsedSize as number) / 2 ** 20).toFixed(1),
			after.Nodes as number,
		]);
		console.log(rows.at(-1)?.join('  '));
		await page.close();
	}
	tell({
		name: 'render',
		title: 'The page',
		question: `The dashboard at 1440 × 900 in Chromium without a GPU, on the machine that also runs server and database; ${seconds} s at each rate after ${WARM_S} s.`,
		tables: [
			{
				caption: 'The main thread',
				columns: [
					'events/s',
					'busy',
					'of it script',
					'of it style and layout',
					'tasks over 50 ms',
					'longest ms',
					'heap before MiB',
					'heap after MiB',
					'nodes',
				],
				rows,
			},
		],
	});
} finally {
	await browser.close();
	await server.stop();
}
