/**
 * The fixture of every end-to-end test: `node build` on a free port with an empty database, as in the demo, and a page
 * whose uncaught errors fail the test. `server` can be killed and started again; its address and data stay.
 */
import { test as base, expect } from '@playwright/test';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { copyDatabase, dropDatabase } from '../setup/template';

export { expect };

export type AppServer = RunningApp & { databaseUrl: string; sql: Sql };

export const test = base.extend<{ server: AppServer; env: Record<string, string>; strict: void }>({
	// further variables of the server: test.use({ env: { … } })
	env: [{}, { option: true }],

	server: async ({ env }, use, testInfo) => {
		const adminUrl = process.env.TEST_DATABASE_URL ?? '';
		const databaseUrl = await copyDatabase(adminUrl);
		const sql = connect(databaseUrl, { max: 2, applicationName: 'nowboard tests' });
		const server = createAppServer(await freePort(), databaseUrl, env);
		try {
			await server.start();
			await use({ ...server, databaseUrl, sql });
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
