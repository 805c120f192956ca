/** A Redis of a test's own: Debian's program, in a temporary folder, without files, on a free port. It ends with our process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/process/ports';
import { stopWithUs } from '../../scripts/process/stop-with-us';
import { findProgram } from '../../scripts/testing/system-programs';
import { makeTemporaryFolder } from './server';
import type { SelfSigned } from './self-signed';

export type TestRedis = {
	port: number;
	/** of the process that runs now */
	pid(): number;
	/** Empty, also after a stop. */
	start(): Promise<void>;
	/** As a crash. */
	kill(): Promise<void>;
	/** It answers nothing until `resume`, and its sockets stay open. */
	pause(): void;
	resume(): void;
	/** one command, as in redis-cli without TLS and password; rejects with what Redis says */
	command(...words: string[]): Promise<string>;
	/** ends it and removes its folder */
	drop(): Promise<void>;
};

const TRY_EVERY_MS = 50;
const START_MS = 30_000;

/** Starts one. @param options what differs from the defaults of Redis */
export async function startRedis(
	options: { password?: string; tls?: SelfSigned } = {},
): Promise<TestRedis> {
	const program = findProgram('redis-server');
	if (!program) throw new Error('redis-server is not there: apt-get install redis-server');
	const folder = makeTemporaryFolder();
	const port = await freePort();
	let child: ChildProcess | undefined;
	const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(folder, name));
	if (options.tls) {
		writeFileSync(certificate as string, options.tls.certificate);
		writeFileSync(key as string, options.tls.key);
		for (const file of [certificate, key]) chmodSync(file as string, 0o600);
	}
	const settings = [
		...['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
		...(options.password ? ['--requirepass', options.password] : []),
		...(options.tls
			? `--port 0 --tls-port ${port} --tls-auth-clients no --tls-cert-file ${certificate} --tls-key-file ${key}`.split(
					' ',
				)
			: ['--port', String(port)]),
	];

	async function start() {
		child = spawn(program as string, settings, { stdio: 'ignore' });
		// KILL: one that is paused takes no other
		child.once('exit', stopWithUs(child.pid, 'KILL'));
		const until = performance.now() + START_MS;
		while (!(await accepts(port))) {
			if (child.exitCode !== null || performance.now() > until)
				throw new Error(`redis-server does not start (exit code ${child.exitCode})`);
			await pause(TRY_EVERY_MS);
		}
	}

	async function kill() {
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, 'exit');
		child.kill('SIGKILL');
		await gone;
	}

	await start();
	return {
		...{ port, start, kill },
		pid: () => child?.pid ?? 0,
		pause: () => void child?.kill('SIGSTOP'),
		resume: () => void child?.kill('SIGCONT'),
		async command(...words) {
			const socket = connect({ port, host: '127.0.0.1' });
			try {
				const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
				socket.write(`*${words.length}\r\n${parts.join('')}`);
				const [reply] = (await once(socket, 'data')) as [Buffer];
				const text = reply.toString();
				if (text.startsWith('-')) throw new Error(text.slice(1).trim());
				return text;
			} finally {
				socket.destroy();
			}
		},
		async drop() {
			await kill();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

async function accepts(port: number): Promise<boolean> {
	const socket = connect({ port, host: '127.0.0.1' });
	return new Promise((resolve) => {
		socket.once('connect', () => resolve(true));
		socket.once('error', () => resolve(false));
	}).then((answer) => {
		socket.destroy();
		return answer as boolean;
	});
}
