/** Below a path of another site, behind nginx as docs/deploy/below-a-path.md says. */
import { chromium } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { chromiumLaunchOptions } from '../../scripts/testing/browser';
import { createAppServer } from '../setup/app-server';
import { envBelow, walkBelow } from '../setup/below-path';
import { useDatabase } from '../setup/instances';
import { makeTemporaryFolder } from '../setup/server';
import { runNginx } from './nginx';

/** How the path is written in nginx: with its slash (nginx redirects `/now`), or without one (it does not). */
const LOCATIONS = {
	'with a slash': (to: string) => `location /now/ { proxy_pass ${to}/; proxy_buffering off; }`,
	'without a slash': (to: string) =>
		`location /now { rewrite ^/now/?(.*)$ /$1 break; proxy_pass ${to}; proxy_buffering off; }`,
};

for (const [how, toLocation] of Object.entries(LOCATIONS))
	test(`everything works below /now behind nginx, its location ${how}`, async () => {
		const { url: databaseUrl, sql } = await useDatabase();
		const [port, front] = [await freePort(), await freePort()];
		const address = `http://127.0.0.1:${front}/now`;
		const app = createAppServer(port, databaseUrl, envBelow(address));
		onTestFinished(() => app.kill('SIGTERM'));
		await app.start();
		const location = toLocation(`http://127.0.0.1:${port}`);
		const output = runNginx(
			makeTemporaryFolder(),
			`server { listen 127.0.0.1:${front}; absolute_redirect off; ${location} }`,
		);
		const answers = () =>
			fetch(`${address}/healthz`).then(
				({ status }) => status,
				() => output(),
			);
		await expect.poll(answers, { timeout: 30_000 }).toBe(200);
		const browser = await chromium.launch(chromiumLaunchOptions());
		onTestFinished(() => browser.close());
		await walkBelow(browser, address, sql);
	}, 180_000);
