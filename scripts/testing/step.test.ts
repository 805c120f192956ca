/** Ctrl-C while a step of `npm test` runs, as a terminal sends it: to every process of its group. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../postgres/owner';

/** A tool whose worker outlives it, and one that is deaf to SIGTERM. Each process writes its id into the folder. */
const TOOL = `
	const { spawn } = require('node:child_process');
	const { writeFileSync } = require('node:fs');
	const worker = (name, more) => spawn(process.execPath, ['-e',
		more + "require('node:fs').writeFileSync(name, String(process.pid)); setInterval(() => {}, 1000)".replace('name', JSON.stringify(name))
	], { stdio: 'ignore' });
	worker('worker', '');
	worker('deaf', "process.on('SIGTERM', () => {});");
	writeFileSync('tool', String(process.pid));
	setInterval(() => {}, 1000);`;

test.runIf(process.platform !== 'win32')('leaves no process of a step behind', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-step-'));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	const step = new URL('./step.ts', import.meta.url).href;
	const code = `const { runStep } = await import(${JSON.stringify(step)});
		process.chdir(${JSON.stringify(folder)});
		await runStep({ title: 'tool', command: ['node', '-e', ${JSON.stringify(TOOL)}] })
			.catch((error) => { console.log(error.message); process.exitCode = 1; });`;
	const run = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
		detached: true,
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let output = '';
	run.stdout.on('data', (chunk: Buffer) => (output += chunk));
	const ended = new Promise((resolve) => run.once('close', resolve));
	const pids = () =>
		readdirSync(folder).map((name) => Number(readFileSync(join(folder, name), 'utf8')));
	await expect.poll(() => pids().filter(Boolean)).toHaveLength(3);
	const all = pids();
	onTestFinished(() => {
		for (const pid of all) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
	});
	process.kill(-(run.pid as number), 'SIGINT');
	expect(await ended).toBe(1);
	expect(output).toContain('Stopped by SIGINT during "tool"');
	expect(all.filter(isAlive)).toEqual([]);
});
