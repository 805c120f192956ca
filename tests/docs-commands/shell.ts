/** Runs the text of a block in bash, as a reader would enter it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

export type Place = {
	cwd: string;
	/** all variables that it has, besides PATH and the language */
	env?: Record<string, string>;
	/** what is typed when it asks */
	input?: string;
	/** what stands before `bash`, as in `sudo` */
	through?: readonly string[];
};
export type Ran = { code: number | null; stdout: string; stderr: string };
export type Started = {
	/** what it has printed so far */
	output(): string;
	/** resolves when it has ended by itself, and by `stop` */
	ended: Promise<Ran>;
	/** Ctrl-C: to all processes that it has started in its group. Safe to call twice. */
	stop(): Promise<Ran>;
};

const STOP_DEADLINE_MS = 15_000;
const RUN_DEADLINE_MS = 5 * 60_000;

/**
 * The first failing command ends it. Its input is no pipe, or bash would take it for a remote shell and
 * read .bashrc.
 */
const BASH = ['bash', '--norc', '-e', '-o', 'pipefail', '-c'];

/** What a shell has of ours: nothing of the test runner's. npm does not look for a newer npm. */
const GIVEN = /^(PATH|LANG|TMPDIR|USER|LOGNAME|CHROMIUM_PATH|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/;
export const SHELL_ENV: Record<string, string | undefined> = {
	...Object.fromEntries(Object.entries(process.env).filter(([name]) => GIVEN.test(name))),
	npm_config_update_notifier: 'false',
};

/**
 * Starts it without waiting. It ends at the first failing command. If this process is killed, its group
 * ends too, so no server is left behind.
 */
export function startShell(code: string, { cwd, env = {}, input, through = [] }: Place): Started {
	// the third pipe is read to its end, which comes with ours
	const watch = '{ read -r -u 3; kill -KILL 0; } </dev/null >/dev/null 2>&1 &\n';
	const leave = 'trap "{ kill $!; wait $! || true; } 2>/dev/null" EXIT\n';
	const script = through.length > 0 ? code : watch + leave + code;
	const [program = '', ...args] = [...through, ...BASH, script];
	const child = spawn(program, args, {
		cwd,
		env: { ...SHELL_ENV, ...env },
		detached: true,
		stdio: ['pipe', 'pipe', 'pipe', through.length > 0 ? 'ignore' : 'pipe'],
	}) as ChildProcessWithoutNullStreams;
	child.stdin.on('error', () => {});
	child.stdin.end(input);
	const texts = { stdout: '', stderr: '', all: '' };
	for (const name of ['stdout', 'stderr'] as const)
		child[name].setEncoding('utf8').on('data', (chunk: string) => {
			texts[name] += chunk;
			texts.all += chunk;
		});
	/** false: none of the group is left */
	const signal = (name: NodeJS.Signals | 0) => {
		try {
			return child.pid !== undefined && process.kill(-child.pid, name);
		} catch {
			return false;
		}
	};
	const exited = once(child, 'exit') as Promise<[number | null]>;
	const closed = once(child, 'close');
	closed.catch(() => {});
	const ended = exited.then(async ([code]) => {
		const deadline = performance.now() + STOP_DEADLINE_MS;
		while (signal(0) && performance.now() < deadline) await pause(20);
		signal('SIGKILL');
		await closed;
		return { code, stdout: texts.stdout, stderr: texts.stderr };
	});
	async function stop(): Promise<Ran> {
		signal('SIGINT');
		const timer = setTimeout(() => signal('SIGKILL'), STOP_DEADLINE_MS);
		return ended.finally(() => clearTimeout(timer));
	}
	return { output: () => texts.all, ended, stop };
}

/** Resolves when it has ended, whatever its exit code. */
export async function runShell(code: string, place: Place): Promise<Ran> {
	const started = startShell(code, place);
	const timer = setTimeout(() => void started.stop(), RUN_DEADLINE_MS);
	return started.ended.finally(() => clearTimeout(timer));
}

/** @returns what it prints on stdout; throws all of it when it fails */
export async function succeed(code: string, place: Place): Promise<string> {
	const { code: exitCode, stdout, stderr } = await runShell(code, place);
	if (exitCode === 0) return stdout;
	throw new Error(`This ended with ${exitCode}:\n${code}\n${stdout}${stderr}`);
}

/** Puts what is here in place of what stands in the text. Throws when it does not stand there. */
export function put(code: string, puts: readonly (readonly [from: string, to: string])[]): string {
	for (const [from, to] of puts) {
		if (!code.includes(from)) throw new Error(`"${from}" does not stand in:\n${code}`);
		code = code.replaceAll(from, to);
	}
	return code;
}
