/** Caddy with a Caddyfile of the test's. Ends with the test. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram } from '../../scripts/testing/system-programs';

/**
 * Starts one and waits for nothing. It listens on the ports of `sites` alone: no admin address, no redirect from port 80.
 * @param folder of its own, removed with it
 * @returns what it has said so far
 */
export function runCaddy(folder: string, sites: string): () => string {
	const caddy = findProgram('caddy');
	if (!caddy) throw new Error('There is no caddy: npm run test:system says how to install it.');
	const file = join(folder, 'Caddyfile');
	writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${sites}`);
	const child = spawn(caddy, ['run', '--config', file, '--adapter', 'caddyfile'], {
		stdio: ['ignore', 'ignore', 'pipe'],
		env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
	});
	let output = '';
	child.stderr.on('data', (chunk: Buffer) => (output += chunk));
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	onTestFinished(async () => {
		child.kill('SIGKILL');
		await ended;
		rmSync(folder, { recursive: true });
	});
	return () => output;
}
