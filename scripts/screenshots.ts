/**
 * `npm run screenshots`: the pictures of the README, taken of `node build` on a throw-away Postgres, with visitors that are
 * the same in every run. Writes docs/screenshots/*.png. Look at each before committing it.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright';
import { connect } from '../src/lib/server/db/connect';
import { migrate } from '../src/lib/server/migrations/migrate';
import { createAppServer } from '../tests/setup/app-server';
import { provideServer } from '../tests/setup/server';
import { copyDatabase } from '../tests/setup/template';
import { chromiumLaunchOptions } from './testing/browser';
import { freePort } from './process/ports';
import {
	createScreenshotVisitors,
	sendLive,
	writeHistory,
	writeWeeks,
} from './demo/screenshot-data';

const FOLDER = 'docs/screenshots';
const MAX_BYTES = 400 * 1024;
const RATE_PER_S = 1;
const BUSY_PER_S = 40;
/** Until the ticks of the chart are the server's own. */
const CHART_MS = 40_000;
/** Until a page has seen some events arrive; at the calm rate, what it begins with fills the chart. */
const LOOK_MS = 8_000;
const BUSY_MS = 25_000;

const DESK = { viewport: { width: 1440, height: 900 } };
const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true };
const LONDON = { locale: 'en-GB', timezoneId: 'Europe/London' };
const dark = { colorScheme: 'dark' } as const;

if (!existsSync('build/index.js'))
	throw new Error('There is no build/: run `npm run build` first.');
mkdirSync(FOLDER, { recursive: true });
const postgres = await provideServer();
const browser = await chromium.launch(chromiumLaunchOptions());
try {
	await photographEmpty(browser);
	await photographData(browser);
} finally {
	await browser.close();
	await postgres.stop();
}

async function startApp() {
	const databaseUrl = await copyDatabase(postgres.adminUrl);
	await migrate(databaseUrl);
	// what the examples on the page say
	const env = { ORIGIN: 'http://localhost:3000', LOG_LEVEL: 'fatal' };
	return { databaseUrl, app: createAppServer(await freePort(), databaseUrl, env) };
}

async function open(browser: Browser, url: string, options: BrowserContextOptions) {
	const page = await browser.newPage({ ...LONDON, ...options });
	await page.goto(url);
	await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
	return page;
}

/** A browser that does not keep up leaves parts of the page unpainted: waits for half a second of even frames. */
async function settle(page: Page): Promise<void> {
	// without a named function: tsx marks those in a way that the page does not know
	await page.evaluate(async () => {
		const deadline = performance.now() + 60_000;
		for (let even = 0; even < 30 && performance.now() < deadline;) {
			const before = performance.now();
			await new Promise((resolve) => requestAnimationFrame(resolve));
			even = performance.now() - before < 50 ? even + 1 : 0;
		}
	});
}

async function photograph(page: Page, name: string): Promise<void> {
	await settle(page);
	const path = `${FOLDER}/${name}.png`;
	await page.screenshot({ path });
	const { size } = statSync(path);
	if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes, at most ${MAX_BYTES} may be.`);
	console.log(`${path}, ${Math.round(size / 1024)} KB`);
}

async function photographEmpty(browser: Browser): Promise<void> {
	const { app } = await startApp();
	await app.start();
	const page = await open(browser, app.url, DESK);
	// the needle that listens is at its brightest at the beginning of its beat
	await page.evaluate(() => {
		for (const animation of document.getAnimations()) animation.currentTime = 0;
	});
	await photograph(page, 'empty');
	await page.close();
	await app.kill('SIGTERM');
}

async function photographData(browser: Browser): Promise<void> {
	const { databaseUrl, app } = await startApp();
	const sql = connect(databaseUrl, { max: 1 });
	const visitors = createScreenshotVisitors(7, RATE_PER_S);
	const first = await writeHistory(sql, visitors);
	await writeWeeks(sql);
	await sql.end();
	await app.start();

	const calm = new AbortController();
	const sending = sendLive(app.url, visitors, calm.signal, first);
	await delay(CHART_MS);
	// one at a time: pages that are not in front are not painted
	for (const [name, options] of [
		['dark', { ...DESK, ...dark }],
		['phone', PHONE],
		['wall', { ...WALL, ...dark }],
	] as const) {
		const page = await open(browser, app.url, options);
		await delay(LOOK_MS);
		await photograph(page, name);
		await page.close();
	}
	const light = await open(browser, app.url, DESK);
	await delay(LOOK_MS);
	await photograph(light, 'light');

	const range = (name: string) =>
		light.getByRole('navigation', { name: 'Range' }).getByRole('link', { name }).click();
	await range('7 days');
	await light.getByRole('heading', { name: 'Events per hour' }).waitFor();
	await delay(LOOK_MS);
	await photograph(light, 'history');
	await range('Live');

	const crowd = new AbortController();
	const crowding = sendLive(app.url, createScreenshotVisitors(8, BUSY_PER_S), crowd.signal);
	await delay(BUSY_MS);
	await photograph(light, 'busy');
	crowd.abort();
	await crowding;

	const status = await browser.newPage({ ...LONDON, ...DESK });
	await status.goto(`${app.url}/status`);
	await delay(LOOK_MS);
	await photograph(status, 'status');
	await status.close();

	const admin = connect(postgres.adminUrl, { max: 1 });
	const database = new URL(databaseUrl).pathname.slice(1);
	await admin`ALTER DATABASE ${admin(database)} ALLOW_CONNECTIONS false`;
	await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${database}`;
	await light.getByText('Events sent now are refused').waitFor();
	await delay(1_000);
	await photograph(light, 'database-gone');
	await admin`ALTER DATABASE ${admin(database)} ALLOW_CONNECTIONS true`;
	await admin.end();
	await light.getByRole('status').getByText('Live', { exact: true }).waitFor();

	await delay(LOOK_MS);
	calm.abort();
	await sending;
	await app.kill('SIGKILL');
	await light.getByText('The stream was cut').waitFor();
	await delay(1_000);
	await photograph(light, 'disconnected');
}
