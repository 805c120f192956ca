import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../postgres/owner';

const SUPERVISE = JSON.stringify(new URL('./supervise.ts', import.meta.url).href);

/** A part that notes when it is asked to stop; `ends` lets it end by itself. */
const PARTS = `
	const { supervise, startNode } = await import(${SUPERVISE});
	const note = (line) => console.log(line);
	function fake(name, ends) {
		let end;
		const exited = new Promise((resolve) => (end = resolve));
		if (ends) setTimeout(() => end('by itself'), 50);
		return { name, exited, stop: async (force) => { note('stop ' + name + (force ? ' by force' : '')); end('asked'); } };
	}
	const idle = setInterval(() => {}, 1000);
	const finish = (code) => { clearInterval(idle); process.exitCode = code; };
`;

/** Runs a supervisor; `ready` resolves with the output when it has printed "up". */
function run(code: string) {
	const child = spawn(
		process.execPath,
		['--import', 'tsx', '--input-type=module', '-e', PARTS + code],
		{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, npm_lifecycle_event: '' } },
	);
	onTestFinished(() => void child.kill('SIGKILL'));
	let output = '';
	let up: () => void = () => {};
	const ready = new Promise<void>((resolve) => (up = resolve));
	for (const stream of [child.stdout, child.stderr]) {
		stream.on('data', (chunk: Buffer) => {
			output += chunk;
			if (output.includes('up')) up();
		});
	}
	const ended = new Promise<{ code: number | null; lines: string[] }>((resolve) => {
		child.once('close', (exit) =>
			resolve({ code: exit, lines: output.split('\n').filter((line) => line && line !== 'up') }),
		);
	});
	return { child, ready, ended, output: () => output };
}

test('on a signal the parts stop in reverse order, and the exit code is 0', async () => {
	const { child, ready, ended } = run(`finish(await supervise(async (add) => {
		add(fake('database')); add(fake('simulator')); add(fake('web server')); note('up');
	}, note));`);
	await ready;
	child.kill('SIGINT');
	expect(await ended).toEqual({
		code: 0,
		lines: ['Stopping …', 'stop web server', 'stop simulator', 'stop database'],
	});
});

test('a part that ends by itself ends everything, and the exit code says so', async () => {
	const { ended } = run(`finish(await supervise(async (add) => {
		add(fake('database')); add(fake('web server', true));
	}, note));`);
	expect(await ended).toEqual({
		code: 1,
		lines: ['The web server ended by itself (by itself).', 'stop web server', 'stop database'],
	});
});

test('a part that does not come up ends those that did', async () => {
	const { ended } = run(`finish(await supervise(async (add) => {
		add(fake('database')); throw new Error('The port is taken.');
	}, note));`);
	expect(await ended).toEqual({ code: 1, lines: ['The port is taken.', 'stop database'] });
});

test('a part that comes up after the signal is stopped too, and nothing after it starts', async () => {
	const { child, ready, ended } = run(`finish(await supervise(async (add) => {
		note('up'); await new Promise((resolve) => setTimeout(resolve, 300));
		add(fake('database')); note('never');
	}, note));`);
	await ready;
	child.kill('SIGTERM');
	expect(await ended).toEqual({ code: 0, lines: ['Stopping …', 'stop database'] });
});

test('a child ends with a supervisor that was killed', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-child-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	const script = join(folder, 'child.js');
	writeFileSync(script, `console.log('child', process.pid, 'up'); setInterval(() => {}, 1000);`);
	const { child, ready, output } = run(`finish(await supervise(async (add) => {
		add(startNode({ name: 'child', args: [${JSON.stringify(script)}] }));
	}, note));`);
	await ready;
	const pid = Number(/child (\d+)/.exec(output())?.[1]);
	expect(isAlive(pid)).toBe(true);
	child.kill('SIGKILL');
	await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
});

test('a child that has finished does not linger', async () => {
	const { ended } = run(`finish(await supervise(async (add) => {
		const child = startNode({ name: 'child', args: ['-e', 'console.log(1 + 1)'] });
		note('succeeded ' + await child.succeeded); throw new Error('enough');
	}, note));`);
	expect(await ended).toEqual({ code: 1, lines: ['2', 'succeeded true', 'enough'] });
});
