/** An nginx with a configuration of its own, for tests and for the rehearsal. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../scripts/testing/system-programs';

export type NginxProcess = {
	/** what it has said so far */
	output(): string;
	/** ends it and removes the folder */
	stop(): Promise<void>;
};

const STORES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * Starts one and waits for nothing.
 * @param folder of its own
 * @param http what stands in the http block, as in /etc/nginx/conf.d
 */
export function startNginxProcess(folder: string, http: string): NginxProcess {
	const nginx = findProgram('nginx');
	if (!nginx) throw new Error('There is no nginx: npm run test:system says how to install it.');
	mkdirSync(join(folder, 'stores'));
	const stores = STORES.map((name) => `${name}_temp_path ${join(folder, 'stores', name)};`);
	writeFileSync(
		join(folder, 'nginx.conf'),
		`pid ${join(folder, 'nginx.pid')}; error_log stderr; worker_processes 1; events {}
		http { access_log off; ${stores.join(' ')} ${http} }`,
	);
	const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
	const child = spawn(nginx, args, { stdio: ['ignore', 'ignore', 'pipe'] });
	let output = '';
	child.stderr.on('data', (chunk: Buffer) => (output += chunk));
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
	return {
		output: () => output,
		async stop() {
			child.kill('SIGTERM');
			await ended;
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
