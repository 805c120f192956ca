/** Runs one command of `npm test` under a headline, with its time, and leaves no process behind. */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

export type Step = {
	title: string;
	command: string[];
	env?: Record<string, string>;
	/** prints what the command says when it has ended, for steps that run at the same time */
	collect?: boolean;
};

const STOP_DEADLINE_MS = 15_000;
const LEFT_DEADLINE_MS = 2_000;
const LEFT_INTERVAL_MS = 50;
const POSIX = process.platform !== 'win32';

/** True when the command succeeded. On a signal the command is stopped, and the promise rejects. */
export async function runStep({ title, command, env, collect }: Step): Promise<boolean> {
	const started = performance.now();
	const headline = `\n── ${title} ${'─'.repeat(Math.max(1, 70 - title.length))}`;
	if (!collect) console.log(headline);
	const [program = '', ...args] = command;
	// a process group of its own: npm passes a signal to its shell only, and the tool would stay
	const child = spawn(program === 'node' ? process.execPath : program, args, {
		stdio: collect ? ['ignore', 'pipe', 'pipe'] : 'inherit',
		env: { ...process.env, ...env },
		detached: POSIX,
		shell: !POSIX && program === 'npm',
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr])
		stream?.on('data', (chunk: Buffer) => (output += chunk));
	const signalGroup = (signal: NodeJS.Signals) => {
		try {
			if (POSIX && child.pid) process.kill(-child.pid, signal);
			else child.kill(signal);
		} catch {
			// all of them have ended
		}
	};
	let interrupted: NodeJS.Signals | undefined;
	const onSignal = (signal: NodeJS.Signals) => {
		interrupted = signal;
		signalGroup('SIGTERM');
		setTimeout(() => signalGroup('SIGKILL'), STOP_DEADLINE_MS).unref();
	};
	process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
	const code = await new Promise<number | null>((resolve, reject) => {
		child.once('error', reject);
		// what is collected may come after the exit
		child.once(collect ? 'close' : 'exit', resolve);
	});
	process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
	// whatever the tool left in its group
	if (POSIX && child.pid) await endGroup(child.pid);
	if (interrupted) throw new Error(`Stopped by ${interrupted} during "${title}".`);
	if (collect) console.log(`${headline}\n${output.trimEnd()}`);
	console.log(`── ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
	return code === 0;
}

/** Whatever the tool left in its group: asked to end, and killed after a while. */
async function endGroup(pid: number): Promise<void> {
	const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGKILL'];
	for (const signal of signals)
		for (let waitedMs = 0; waitedMs < LEFT_DEADLINE_MS; waitedMs += LEFT_INTERVAL_MS) {
			try {
				// a first one ends most; asked again, a tool would give up ending well
				process.kill(-pid, waitedMs === 0 ? signal : 0);
			} catch {
				return;
			}
			await pause(LEFT_INTERVAL_MS);
		}
}
