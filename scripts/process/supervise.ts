/**
 * Keeps the parts of `npm run demo` and `npm run dev` together: starts them in order and stops them in
 * reverse, on a signal, or when one ends or does not start. Children run in their own sessions, because
 * Ctrl-C would reach all of them at once; they end when this process is killed.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Part = {
	name: string;
	/** resolves with the reason when the part has ended */
	exited: Promise<string>;
	/** resolves when it has ended; `force` does not wait for its good manners */
	stop: (force: boolean) => Promise<void>;
};

const STOP_DEADLINE_MS = 15_000;
/** A second Ctrl-C by a human comes later than this. */
const SAME_PRESS_MS = 500;
const PARENT_INTERVAL_MS = 250;
const FOLLOW_PARENT = new URL('./follow-parent.js', import.meta.url).href;
const SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Thrown inside `start` when a signal arrives before everything is up. */
class Interrupted extends Error {}

/**
 * Runs `start`, then waits for a signal. Resolves to the exit code: 0 when it was asked to stop and everything did.
 * A second signal forces the end.
 */
export async function supervise(
	start: (add: (part: Part) => Part) => Promise<void>,
	log: (line: string) => void = console.log,
): Promise<number> {
	const parts: Part[] = [];
	let stoppingSince = Infinity;
	let forced = false;
	let interrupt: (reason: Error) => void = () => {};
	const interrupted = new Promise<never>((_, reject) => (interrupt = reject));
	interrupted.catch(() => {});

	const onSignal = () => {
		if (stoppingSince === Infinity) return interrupt(new Interrupted());
		// npm and tsx pass Ctrl-C on, so one press may arrive several times
		if (performance.now() - stoppingSince < SAME_PRESS_MS) return;
		forced = true;
		for (const part of parts) void part.stop(true);
	};
	for (const signal of SIGNALS) process.on(signal, onSignal);
	const parent = watchNpm(onSignal);

	const add = (part: Part) => {
		parts.push(part);
		if (stoppingSince < Infinity) throw new Interrupted();
		void part.exited.then((reason) => {
			interrupt(new Error(`The ${part.name} ended by itself (${reason}).`));
		});
		return part;
	};

	let code = 0;
	const starting = start(add);
	try {
		await Promise.race([starting, interrupted]);
		await interrupted;
	} catch (error) {
		if (error instanceof Interrupted) log('\nStopping …');
		else {
			console.error(error instanceof Error ? error.message : error);
			code = 1;
		}
	}
	stoppingSince = performance.now();
	const stopAll = async () => {
		for (let part = parts.pop(); part; part = parts.pop()) await part.stop(forced);
	};
	await stopAll();
	// what was just coming up when the signal came is known only when `start` has ended
	await Promise.race([starting.catch(() => {}), delay(STOP_DEADLINE_MS)]);
	await stopAll();
	clearInterval(parent);
	for (const signal of SIGNALS) process.off(signal, onSignal);
	return code;
}

/** npm passes a signal to its shell alone, and the shell dies of it: under npm, a new parent means "stop". */
function watchNpm(onGone: () => void): NodeJS.Timeout | undefined {
	if (!process.env.npm_lifecycle_event) return undefined;
	const parent = process.ppid;
	const timer = setInterval(() => {
		if (process.ppid === parent) return;
		clearInterval(timer);
		onGone();
	}, PARENT_INTERVAL_MS);
	return timer.unref();
}

export type NodePartOptions = {
	name: string;
	/** what follows `node` */
	args: string[];
	env?: Record<string, string>;
	/** keep what it prints, and show it only when it fails */
	quiet?: boolean;
};

/** A Node program as a part. Ends with this process, even when that is killed. */
export function startNode({
	name,
	args,
	env,
	quiet = false,
}: NodePartOptions): Part & { succeeded: Promise<boolean> } {
	const child = spawn(process.execPath, ['--import', FOLLOW_PARENT, ...args], {
		cwd: fileURLToPath(new URL('../..', import.meta.url)),
		env: { ...process.env, ...env },
		stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit', 'ipc'],
		detached: true,
	});
	const kept: Buffer[] = [];
	child.stdout?.on('data', (chunk: Buffer) => kept.push(chunk));
	child.stderr?.on('data', (chunk: Buffer) => kept.push(chunk));
	const ended = new Promise<{ code: number | null; reason: string }>((resolve) => {
		child.once('error', (error) => resolve({ code: null, reason: error.message }));
		child.once('close', (code, signal) => {
			if (code) process.stderr.write(Buffer.concat(kept));
			resolve({ code, reason: signal ?? `exit code ${code}` });
		});
	});
	const stop = async (force: boolean) => {
		child.kill(force ? 'SIGKILL' : 'SIGTERM');
		const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
		await ended;
		clearTimeout(timer);
	};
	return {
		name,
		exited: ended.then(({ reason }) => reason),
		succeeded: ended.then(({ code }) => code === 0),
		stop,
	};
}

function delay(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
