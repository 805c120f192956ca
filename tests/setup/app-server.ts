/** `node build` as a process of a test, with everything open as in the demo; it ends with the test's process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitForServer } from '../../scripts/process/wait-for-server';

export type RunningApp = {
	/** without a slash at the end */
	url: string;
	/** resolves when the server is ready */
	start: () => Promise<void>;
	/** resolves when the process has ended; SIGKILL is a crash */
	kill: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
	/** It stands still for so long, with all its sockets open. */
	pause: (ms: number) => Promise<void>;
	/** of the last process that ended; null while one runs, or when a signal ended it */
	exitCode: () => number | null;
	/** what the server has printed so far */
	output: () => string;
};
export type AppServer = RunningApp & {
	/** how many connections browsers have to it */
	connections: () => Promise<number>;
};

const FOLLOW_PARENT = new URL('../../scripts/process/follow-parent.js', import.meta.url).href;
const CONNECTIONS = new URL('./connections.js', import.meta.url).href;
/** It takes 3 s at most; a busy machine may take ten times as long. */
const STOP_DEADLINE_MS = 40_000;

/**
 * Starts nothing yet. Its address stays the same when it is killed and started again.
 * @param folder where `build` lies, and where it is started
 */
export function createAppServer(
	port: number,
	databaseUrl: string,
	env: Record<string, string> = {},
	folder = '.',
): AppServer {
	const url = `http://localhost:${port}`;
	let child: ChildProcess | undefined;
	let exited: Promise<string> = Promise.resolve('not started');
	let output = '';

	async function start(): Promise<void> {
		if (!existsSync(join(folder, 'build', 'index.js')))
			throw new Error('build/index.js is missing: run "npm run build" first.');
		child = spawn(process.execPath, ['--import', FOLLOW_PARENT, '--import', CONNECTIONS, 'build'], {
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
			cwd: folder,
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

	async function connections(): Promise<number> {
		if (!child) throw new Error('The server was not started.');
		const told = once(child, 'message');
		child.send('connections');
		return ((await told) as [number])[0];
	}

	async function pause(ms: number): Promise<void> {
		const paused = child;
		paused?.kill('SIGSTOP');
		try {
			await sleep(ms);
		} finally {
			paused?.kill('SIGCONT');
		}
	}

	return {
		...{ url, start, kill, pause, connections },
		exitCode: () => child?.exitCode ?? null,
		output: () => output,
	};
}
