/**
 * The fixture of every end-to-end test: `node build` on a free port with an empty database, as in the demo, and a page
 * whose uncaught errors fail the test. `server` can be killed and started again; its address and data stay.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { test as base, expect } from '@playwright/test';
import { freePort } from '../../scripts/ports';
import { waitForServer } from '../../scripts/wait-for-server';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { copyDatabase, dropDatabase } from '../setup/template';

export { expect };

export type AppServer = {
	/** without a slash at the end */
	url: string;
	databaseUrl: string;
	sql: Sql;
	/** resolves when the server is ready */
	start: () => Promise<void>;
	/** resolves when the process has ended; SIGKILL is a crash */
	kill: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
	/** what the server has printed so far */
	output: () => string;
};

const FOLLOW_PARENT = new URL('../../scripts/follow-parent.js', import.meta.url).href;
const STOP_DEADLINE_MS = 15_000;

export const test = base.extend<{ server: AppServer; env: Record<string, string>; strict: void }>({
	// further variables of the server: test.use({ env: { … } })
	env: [{}, { option: true }],

	server: async ({ env }, use, testInfo) => {
		const adminUrl = process.env.TEST_DATABASE_URL ?? '';
		const databaseUrl = await copyDatabase(adminUrl);
		const sql = connect(databaseUrl, { max: 2, applicationName: 'nowboard tests' });
		const server = createServer(await freePort(), databaseUrl, sql, env);
		try {
			await server.start();
			await use(server);
		} finally {
			await server.kill('SIGTERM');
			await sql.end({ timeout: 1 });
			await dropDatabase(adminUrl, databaseUrl);
			if (testInfo.status !== testInfo.expectedStatus) {
				await testInfo.attach('server output', { body: server.output() });
			}
		}
	},

	baseURL: async ({ server }, use) => use(server.url),

	strict: [
		async ({ page }, use) => {
			const errors: string[] = [];
			page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
			page.on('console', (message) => {
				// a browser reports every request that fails; tests that kill the server mean it
				const { type, text } = { type: message.type(), text: message.text() };
				if (type === 'error' && !text.startsWith('Failed to load resource')) errors.push(text);
			});
			await use();
			expect(errors, 'errors in the page').toEqual([]);
		},
		{ auto: true },
	],
});

function createServer(
	port: number,
	databaseUrl: string,
	sql: Sql,
	env: Record<string, string>,
): AppServer {
	const url = `http://localhost:${port}`;
	let child: ChildProcess | undefined;
	let exited: Promise<string> = Promise.resolve('not started');
	let output = '';

	async function start(): Promise<void> {
		child = spawn(process.execPath, ['--import', FOLLOW_PARENT, 'build'], {
			env: {
				...process.env,
				DATABASE_URL: databaseUrl,
				DATABASE_DIRECT_URL: databaseUrl,
				PORT: String(port),
				HOST: '127.0.0.1',
				ORIGIN: url,
				DASHBOARD_PUBLIC: 'true',
				INGEST_OPEN: 'true',
				...env,
			},
			stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
		});
		child.stdout?.on('data', (chunk: Buffer) => (output += chunk));
		child.stderr?.on('data', (chunk: Buffer) => (output += chunk));
		const started = child;
		exited = new Promise((resolve) => {
			started.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
		});
		try {
			await waitForServer(`http://127.0.0.1:${port}`, exited);
		} catch (error) {
			throw new Error(`${(error as Error).message}\n${output}`, { cause: error });
		}
	}

	async function kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
		if (!child) return;
		const ending = child;
		ending.kill(signal);
		const timer = setTimeout(() => ending.kill('SIGKILL'), STOP_DEADLINE_MS);
		await exited;
		clearTimeout(timer);
	}

	return { url, databaseUrl, sql, start, kill, output: () => output };
}
