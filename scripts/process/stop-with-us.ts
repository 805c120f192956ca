import { spawn } from 'node:child_process';

/**
 * Sends a signal to a process that we started when ours ends, however that goes: a shell waits for the end of a pipe from us.
 * Not on Windows, which has no such shell.
 * @returns calls it off
 */
export function stopWithUs(pid: number | undefined, signal: 'INT' | 'KILL'): () => void {
	if (pid === undefined || process.platform === 'win32') return () => {};
	const watcher = spawn('/bin/sh', ['-c', `read _; kill -${signal} "$0"`, String(pid)], {
		stdio: ['pipe', 'ignore', 'ignore'],
		detached: true,
	});
	watcher.once('error', () => {});
	watcher.stdin.once('error', () => {});
	watcher.unref();
	return () => void watcher.kill('SIGKILL');
}
