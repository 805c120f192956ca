/** One fresh clone and its `npm install && npm test`; and load for the machine meanwhile. Removes what it makes. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from './repeat-report';

/** Keeps `count` cores busy; @returns what ends that */
export function startLoad(count: number): () => void {
	const loops = Array.from({ length: count }, () =>
		// a loop that has lost its parent ends by itself
		spawn(process.execPath, ['-e', 'const p = process.ppid; while (process.ppid === p);'], {
			stdio: 'ignore',
		}),
	);
	return () => loops.forEach((loop) => loop.kill('SIGKILL'));
}

/** On abort the run is told to end as by Ctrl-C, and counts as failed. */
export async function cloneAndTest(signal: AbortSignal): Promise<Omit<Run, 'busy'>> {
	const folder = mkdtempSync(join(tmpdir(), 'nowboard-clone-'));
	try {
		execFileSync('git', ['clone', '--quiet', process.cwd(), folder], { stdio: 'inherit' });
		const started = performance.now();
		const shell = process.platform === 'win32' ? true : '/bin/sh';
		const child = spawn('npm install && npm test', {
			cwd: folder,
			shell,
			stdio: ['ignore', 'pipe', 'pipe'],
			detached: process.platform !== 'win32',
		});
		let output = '';
		for (const stream of [child.stdout, child.stderr])
			stream.on('data', (chunk: Buffer) => {
				output += chunk;
				process.stdout.write(chunk);
			});
		const stop = () => child.pid !== undefined && process.kill(-child.pid, 'SIGINT');
		signal.addEventListener('abort', stop);
		const [code] = (await once(child, 'close')) as [number | null];
		signal.removeEventListener('abort', stop);
		const minutes = (performance.now() - started) / 60_000;
		return { passed: code === 0, result: readResult(output), minutes };
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The line that `npm test` ends with. */
const readResult = (output: string) =>
	output.match(/^\d+ passed, \d+ failed$/gm)?.at(-1) ?? 'ended without a result';
