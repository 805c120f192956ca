/** The page of all states, `/design`, which exists in `vite dev` only: one dev server for all tests of a worker. */
import { spawn } from 'node:child_process';
import { freePort } from '../../scripts/process/ports';
import { waitForServer } from '../../scripts/process/wait-for-server';
import { copyDatabase, dropDatabase } from '../setup/template';
import { test as base, expect, type Page } from '@playwright/test';
import { CASES, type Case } from '../../src/routes/design/cases';
import { drawChart, expectHydrated } from './board';

export { expect };
export const CASE_NAMES = Object.keys(CASES) as Case[];

const FOLLOW_PARENT = new URL('../../scripts/process/follow-parent.js', import.meta.url).href;
const VITE = 'node_modules/vite/bin/vite.js';

export const test = base.extend<object, { design: string }>({
	design: [
		// Playwright reads the names of the fixtures from the pattern
		// eslint-disable-next-line no-empty-pattern
		async ({}, use) => {
			const adminUrl = process.env.TEST_DATABASE_URL ?? '';
			const databaseUrl = await copyDatabase(adminUrl);
			const port = await freePort();
			const args = ['dev', '--host', '127.0.0.1', '--port', String(port), '--strictPort'];
			let output = '';
			const child = spawn(process.execPath, ['--import', FOLLOW_PARENT, VITE, ...args], {
				env: { ...process.env, DATABASE_URL: databaseUrl, DASHBOARD_PUBLIC: 'true' },
				stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
			});
			child.stdout?.on('data', (chunk: Buffer) => (output += chunk));
			child.stderr?.on('data', (chunk: Buffer) => (output += chunk));
			const exited = new Promise<string>((resolve) => {
				child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}\n${output}`));
			});
			try {
				await waitForServer(`http://127.0.0.1:${port}`, exited);
				await use(`http://127.0.0.1:${port}/design`);
			} finally {
				child.kill('SIGTERM');
				await exited;
				await dropDatabase(adminUrl, databaseUrl);
			}
		},
		{ scope: 'worker', timeout: 120_000 },
	],
});

/**
 * A case with its chart drawn: vite may load the page again after it has found a new dependency.
 * @param still nothing arrives while one looks
 */
export async function openCase(
	page: Page,
	url: string,
	name: Case,
	{ still = false }: { still?: boolean } = {},
): Promise<void> {
	await page.goto(`${url}?case=${name}${still ? '&still' : ''}`);
	await expectHydrated(page);
	await drawChart(page);
	await page.evaluate(() => document.fonts.ready);
}
