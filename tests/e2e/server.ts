/**
 * The fixture of every end-to-end test: `node build` as in the demo, with an empty database, and a page whose uncaught
 * errors fail the test. The tests of a worker share one server, emptied in between. A test that stops its server, changes
 * its variables, counts what it has in memory or sends heartbeats has its own: `test.use({ ownServer: true })`.
 */
import { test as base, expect } from '@playwright/test';
import { freePort } from '../../scripts/process/ports';
import { connect, type Sql } from '../../src/lib/server/db/connect';
import { createAppServer, type AppServer as App } from '../setup/app-server';
import { copyDatabase, dropDatabase } from '../setup/template';

export { expect };

export type AppServer = App & { databaseUrl: string; sql: Sql };
type StartedServer = { server: AppServer; drop: () => Promise<void> };

type Env = Record<string, string>;
type TestFixtures = { server: AppServer; env: Env; ownServer: boolean; strict: void };
type WorkerFixtures = { sharedServer: () => Promise<AppServer> };

export const test = base.extend<TestFixtures, WorkerFixtures>({
	// further variables of the server, which is then the test's own: test.use({ env: { … } })
	env: [{}, { option: true }],
	ownServer: [false, { option: true }],

	sharedServer: [
		// Playwright reads the names of the fixtures from the pattern
		// eslint-disable-next-line no-empty-pattern
		async ({}, use) => {
			let shared: StartedServer | undefined;
			await use(async () => {
				if (shared) await empty(shared.server);
				else shared = await startServer({});
				const kill = () => Promise.reject(new Error('only a server of the test itself is stopped'));
				return { ...shared.server, kill };
			});
			await shared?.drop();
		},
		{ scope: 'worker', timeout: 120_000 },
	],

	server: [
		async ({ env, ownServer, sharedServer }, use, testInfo) => {
			const own = ownServer || Object.keys(env).length > 0 ? await startServer(env) : null;
			try {
				const server = own?.server ?? (await sharedServer());
				await use(server);
				if (testInfo.status !== testInfo.expectedStatus)
					await testInfo.attach('server output', { body: server.output() });
			} finally {
				await own?.drop();
			}
		},
		{ timeout: 120_000 },
	],

	baseURL: async ({ server }, use) => use(server.url),

	strict: [
		async ({ page }, use) => {
			const errors: string[] = [];
			page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
			page.on('console', (message) => {
				if (message.type() !== 'error') return;
				const text = message.text();
				// a browser reports every request that fails, some without a text; tests that kill the server mean it. What a page
				// writes has arguments.
				const isReport = text === '' && message.args().length === 0;
				if (isReport || text.startsWith('Failed to load resource')) return;
				errors.push(`${text} (${message.location().url})`);
			});
			await use();
			expect(errors, 'errors in the page').toEqual([]);
		},
		{ auto: true },
	],
});

async function startServer(env: Env): Promise<StartedServer> {
	const adminUrl = process.env.TEST_DATABASE_URL ?? '';
	const databaseUrl = await copyDatabase(adminUrl, process.env.TEST_TEMPLATE);
	const sql = connect(databaseUrl, { max: 2, applicationName: 'nowboard tests' });
	const app = createAppServer(await freePort(), databaseUrl, env);
	const drop = async () => {
		await app.kill('SIGTERM');
		await sql.end({ timeout: 1 });
		await dropDatabase(adminUrl, databaseUrl);
	};
	try {
		await app.start();
	} catch (error) {
		await drop();
		throw error;
	}
	return { server: { ...app, databaseUrl, sql }, drop };
}

/** Resolves when nothing of the last test can come any more, and the server's streams begin in the emptied table. */
async function empty({ sql, url, connections }: AppServer): Promise<void> {
	// a beacon may outlive its page and its context
	await expect.poll(connections, { timeout: 60_000, intervals: [20] }).toBe(0);
	// stored behind whatever came before it
	const last = await fetch(`${url}/api/events`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: '{"name":"last"}',
	});
	expect(last.status).toBe(202);
	// people are here for half a minute more, and the page shows them
	const heard = await sql`select path from nowboard.presence`;
	expect(heard, 'heartbeats of the test before: it needs a server of its own').toEqual([]);
	await sql`truncate nowboard.metrics_snapshots`;
	await sql`truncate nowboard.events`;
	const [row] = await sql<
		{ epoch: string }[]
	>`select value as epoch from nowboard.meta where key = 'epoch'`;
	await expect
		.poll(() => readEpoch(`${url}/api/dashboard/stream`), { timeout: 60_000, intervals: [20] })
		.toBe(row?.epoch);
}

/** The first part of the cursor that a new stream begins with. */
async function readEpoch(stream: string): Promise<string | undefined> {
	const closing = new AbortController();
	try {
		const { body } = await fetch(stream, { signal: closing.signal });
		let text = '';
		for await (const chunk of body ?? []) {
			text += Buffer.from(chunk).toString('latin1');
			const epoch = /^event: reset\nid: ([^-]+)-/m.exec(text)?.[1];
			if (epoch) return epoch;
		}
	} finally {
		closing.abort();
	}
}
