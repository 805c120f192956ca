/** The demo, as the README says it, in a copy of the project: it starts, moves, and ends with Ctrl-C. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort, isFree } from '../../scripts/process/ports';
import { createTaker } from '../docs-commands/plan';
import { copyProject } from '../docs-commands/project';
import { put, startShell, type Started } from '../docs-commands/shell';
import { followHttp } from '../setup/follow-http';
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

test('the demo starts a Postgres of its own, shows simulated visitors and ends with Ctrl-C', async () => {
	const port = await freePort();
	const code = put(take('README.md', 'npm install && npm run demo'), [['npm install && ', '']]);
	const demo = start(code, { PORT: String(port) });
	const at = `http://localhost:${port}`;
	// it builds, and makes 90 days of history
	await expect.poll(demo.output, { timeout: 240_000 }).toContain(`Nowboard is running: ${at}`);
	const client = followHttp(at);
	await client.until(({ ids }) => ids.length >= 5);
	await client.leave();
	const { stderr } = await demo.stop();
	expect([stderr, await isFree(port)]).toEqual(['', true]);
	expect(readFileSync(join(folder, '.data/pg18/postgres.log'), 'utf8')).toContain(
		'database system is shut down',
	);
}, 300_000);

test('every command that the plan has for this file was run', () => {
	expect(untaken()).toEqual([]);
});
