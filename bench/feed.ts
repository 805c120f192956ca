/**
 * Scrolling the feed in Chromium with a slow processor: frames per second while 50,000 loaded rows pass, slowly and fast.
 *
 * npm run bench:feed -- [--rows 50000] [--slowdown 4] [--seconds 10] [--save]   (needs `npm run build` before)
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { chromiumLaunchOptions } from '../scripts/testing/browser';
import { createNumbers } from './setup/numbers';
import { quantile } from './report/quantile';
import { tell } from './report/result';
import { startOurs } from './setup/servers';

const { values } = parseArgs({
	options: {
		rows: { type: 'string', default: '50000' },
		slowdown: { type: 'string', default: '4' },
		seconds: { type: 'string', default: '10' },
		save: { type: 'boolean' },
	},
});
const [wanted, slowdown, seconds] = [values.rows, values.slowdown, values.seconds].map(Number) as [
	number,
	number,
	number,
];
/** Pixels of a frame: a wheel that turns steadily, and one that is spun. */
const SPEEDS = { steady: 30, fast: 300 };

const server = await startOurs();
const browser = await chromium.launch(chromiumLaunchOptions());
try {
	const { take } = createNumbers();
	for (let made = 0; made < wanted; made += 5_000) await server.publish(take(5_000), 5_000);
	const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
	await page.goto(new URL(server.stream).origin);
	await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
	const rows = () =>
		page.evaluate(() =>
			Number(document.querySelector('.feed-box li')?.getAttribute('aria-setsize')),
		);
	const toEnd = () =>
		page.evaluate(() => {
			const box = document.querySelector('.feed-box') as HTMLElement;
			box.scrollTop = box.scrollHeight;
		});
	for (let count = 0; count < wanted - 300; count = await rows()) {
		await toEnd();
		await page.waitForFunction(
			(before) =>
				Number(document.querySelector('.feed-box li')?.getAttribute('aria-setsize')) > before,
			count,
			{ polling: 20 },
		);
	}
	const loaded = await rows();
	console.log(`${loaded} rows are loaded`);
	const devtools = await page.context().newCDPSession(page);
	await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
	const table: (string | number)[][] = [];
	for (const [name, pixels] of Object.entries(SPEEDS)) {
		const times = await page.evaluate(
			async ({ pixels, ms }) => {
				const box = document.querySelector('.feed-box') as HTMLElement;
				const times: number[] = [];
				box.scrollTop = box.scrollHeight / 2;
				let direction = -1;
				const start = performance.now();
				while (performance.now() - start < ms) {
					times.push(await new Promise(requestAnimationFrame));
					if (box.scrollTop < 10_000) direction = 1;
					box.scrollTop += direction * pixels;
				}
				return times;
			},
			{ pixels, ms: seconds * 1_000 },
		);
		const gaps = times.slice(1).map((at, i) => at - (times[i] as number));
		const elapsed = gaps.reduce((sum, gap) => sum + gap, 0);
		table.push([
			`${name}, ${pixels} px a frame`,
			((1_000 * gaps.length) / elapsed).toFixed(1),
			quantile(gaps, 0.5).toFixed(1),
			quantile(gaps, 0.95).toFixed(1),
			Math.max(...gaps).toFixed(0),
		]);
		console.log(table.at(-1)?.join('  '));
	}
	tell({
		name: 'feed',
		title: 'The feed',
		question: `${loaded.toLocaleString('en')} loaded rows at 1440 × 900 in Chromium without a GPU, its processor slowed down ${slowdown} times, on the machine that also runs server and database (load average ${loadavg()[0]?.toFixed(1)}); ${seconds} s at each speed.`,
		tables: [
			{
				caption: 'Scrolling',
				columns: ['speed', 'frames/s', 'median ms', 'p95 ms', 'longest ms'],
				rows: table,
			},
		],
	});
} finally {
	await browser.close();
	await server.stop();
}
