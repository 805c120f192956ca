/**
 * `vite dev` runs the server's `init` again at every save of what `hooks.server.ts` imports, and cleans up nothing. A copy of the
 * project is served and saved repeatedly; connections, timers and signal handlers are counted from outside.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, isFree } from '../../scripts/process/ports';
import { waitForServer } from '../../scripts/process/wait-for-server';
import type { Sql } from '../../src/lib/server/db/connect';
import { createTaker } from '../docs-commands/plan';
import { copyProject } from '../docs-commands/project';
import { startShell } from '../docs-commands/shell';
import { useDatabase } from '../setup/instances';
import { makeTemporaryFolder } from '../setup/server';

const COPIED = ['src', 'static', 'drizzle', 'scripts'].concat([
	'package.json',
	'svelte.config.js',
	'vite.config.ts',
	'tsconfig.json',
]);
/** Prints, when asked by a signal, what a leak would grow. */
const PROBE = `process.on('SIGUSR2', () => console.log('probe ' + JSON.stringify({
	handlers: ['SIGTERM', 'SIGINT', 'sveltekit:shutdown', 'uncaughtException', 'unhandledRejection']
		.map((name) => process.listenerCount(name)),
	timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
})));`;

type Counted = { handlers: number[]; timers: number; connections: number };

async function probe(server: ChildProcess, sql: Sql): Promise<Counted> {
	const answer = new Promise<string>((resolve) => {
		const onData = (data: Buffer) => {
			const found = /probe (\{.*\})/.exec(data.toString());
			if (!found?.[1]) return;
			server.stdout?.off('data', onData);
			resolve(found[1]);
		};
		server.stdout?.on('data', onData);
	});
	server.kill('SIGUSR2');
	const [row] = await sql<{ connections: number }[]>`
		select count(*)::int as connections from pg_stat_activity
		where datname = current_database() and application_name = 'nowboard'`;
	return { ...JSON.parse(await answer), connections: row?.connections ?? 0 };
}

test('saving files under vite dev leaks no connection, timer or signal handler', async () => {
	const { url, sql } = await useDatabase();
	const folder = makeTemporaryFolder();
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	for (const name of COPIED) cpSync(name, join(folder, name), { recursive: true });
	symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
	const port = await freePort();
	const server = spawn(
		process.execPath,
		['--import', `data:text/javascript,${encodeURIComponent(PROBE)}`]
			.concat(resolve('node_modules/vite/bin/vite.js'), 'dev', '--host', '127.0.0.1')
			.concat('--port', String(port), '--strictPort'),
		{
			cwd: folder,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...process.env, DATABASE_URL: url, DASHBOARD_PUBLIC: 'true', LOG_LEVEL: 'silent' },
		},
	);
	const exited = once(server, 'exit');
	onTestFinished(async () => {
		server.kill('SIGKILL');
		await exited;
	});

	const isReady = () =>
		fetch(`http://127.0.0.1:${port}/readyz`).then(
			({ ok }) => ok,
			() => false,
		);
	/** saves a file, and waits until the runtime that came of it has read the database */
	async function save(name: string, change: (text: string) => string) {
		const [before] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
		const path = join(folder, name);
		writeFileSync(path, change(readFileSync(path, 'utf8')));
		await expect
			.poll(
				async () => {
					const ready = await isReady();
					const [row] = await sql<{ fresh: number }[]>`
						select count(*)::int as fresh from pg_stat_activity where datname = current_database()
							and application_name = 'nowboard' and backend_start > ${before?.now as Date}`;
					return ready && (row?.fresh ?? 0) >= 2;
				},
				{ timeout: 60_000, interval: 50 },
			)
			.toBe(true);
	}
	const comment = (text: string) => `${text}\n// saved\n`;

	await expect.poll(isReady, { timeout: 150_000, interval: 100 }).toBe(true);
	await save('src/hooks.server.ts', comment);
	await save('src/lib/server/stream/ring.ts', comment);
	const before = await probe(server, sql);
	for (const name of [
		'src/hooks.server.ts',
		'src/lib/server/stream/ring.ts',
		'src/lib/server/reader/cursor.ts',
	])
		await save(name, comment);
	await expect
		.poll(async () => (await probe(server, sql)).connections, { timeout: 10_000 })
		.toBeLessThanOrEqual(before.connections);
	const after = await probe(server, sql);
	expect(after.handlers).toEqual(before.handlers);
	// a few timers come and go with requests; each leaked runtime would add at least four
	expect(after.timers).toBeLessThan(before.timers + 4);

	// control: without the stop of the previous run, every save leaves a runtime behind
	appendFileSync(join(folder, 'src/lib/server/stream/ring.ts'), '\n');
	await save('src/hooks.server.ts', (text) => text.replace('await slot[RUNTIME]?.stop();', ''));
	await save('src/hooks.server.ts', comment);
	await save('src/hooks.server.ts', comment);
	const leaked = await probe(server, sql);
	expect(leaked.handlers[0]).toBeGreaterThanOrEqual((before.handlers[0] ?? 0) + 2);
	expect(leaked.connections).toBeGreaterThan(before.connections);
}, 400_000);

test('`npm run dev` serves the dashboard from its source, and ends with Ctrl-C', async () => {
	const { take, untaken } = createTaker('tests/operations/dev.long.ts');
	const port = await freePort();
	const { url } = await useDatabase();
	const folder = copyProject();
	const home = makeTemporaryFolder();
	const dev = startShell(take('README.md', 'npm run dev'), {
		cwd: folder,
		env: { HOME: home, DATABASE_URL: url, PORT: String(port) },
	});
	onTestFinished(async () => {
		await dev.stop();
		for (const one of [folder, home]) rmSync(one, { recursive: true, force: true });
	});
	const exited = dev.ended.then(({ code, stdout, stderr }) => `${code}: ${stdout}${stderr}`);
	await waitForServer(`http://localhost:${port}`, exited);
	expect(await (await fetch(`http://localhost:${port}/@vite/client`)).text()).toContain('HMR');
	await dev.stop();
	expect(await isFree(port)).toBe(true);
	expect(untaken()).toEqual([]);
});
