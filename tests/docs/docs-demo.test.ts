/** The demo and `npm run dev`, as the README says them, in a copy of the project: that they start, move, and end with Ctrl-C. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort, isFree } from '../../scripts/process/ports';
import { waitForServer } from '../../scripts/process/wait-for-server';
import { createTaker } from '../docs-commands/plan';
import { copyProject } from '../docs-commands/project';
import { put, startShell, type Started } from '../docs-commands/shell';
import { followHttp } from '../setup/follow-http';
import { useDatabase } from '../setup/instances';
import { makeTemporaryFolder } from '../setup/server';

const { take, untaken } = createTaker('tests/docs/docs-demo.test.ts');
let folder: string;
let home: string;

beforeAll(() => {
	folder = copyProject();
	home = makeTemporaryFolder();
});
afterAll(() => {
	for (const one of [folder, home]) rmSync(one, { recursive: true, force: true });
});

function start(code: string, env: Record<string, string>): Started {
	const started = startShell(code, { cwd: folder, env: { HOME: home, ...env } });
	onTestFinished(async () => void (await started.stop()));
	return started;
}

test('the dashboard is served from its source', async () => {
	const port = await freePort();
	const { url } = await useDatabase();
	const dev = start(take('README.md', 'npm run dev'), { DATABASE_URL: url, PORT: String(port) });
	const exited = dev.ended.then(({ code, stdout, stderr }) => `${code}: ${stdout}${stderr}`);
	await waitForServer(`http://localhost:${port}`, exited);
	expect(await (await fetch(`http://localhost:${port}/@vite/client`)).text()).toContain('HMR');
	await dev.stop();
	expect(await isFree(port)).toBe(true);
}, 120_000);

test('the demo moves: its own Postgres, and visitors who send', async () => {
	const port = await freePort();
	const code = put(take('README.md', 'npm install && npm run demo'), [['npm install && ', '']]);
	const demo = start(code, { PORT: String(port) });
	const at = `http://localhost:${port}`;
	await expect.poll(demo.output, { timeout: 120_000 }).toContain(`Nowboard is running: ${at}`);
	const client = followHttp(at);
	await client.until(({ ids }) => ids.length >= 5);
	await client.leave();
	const { stderr } = await demo.stop();
	expect([stderr, await isFree(port)]).toEqual(['', true]);
	expect(readFileSync(join(folder, '.data/pg18/postgres.log'), 'utf8')).toContain(
		'database system is shut down',
	);
}, 180_000);

test('all that the plan has for this file was run', () => {
	expect(untaken()).toEqual([]);
});
