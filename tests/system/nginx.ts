/** nginx in front of one address or several, configured by a test: as little as possible, or as a guide says. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort } from '../../scripts/ports';
import { findProgram } from '../../scripts/system-programs';
import { makeTemporaryFolder } from '../setup/server';

export type Proxy = {
	/** without a slash at the end */
	url: string;
	/** the same server behind an nginx that does not listen to X-Accel-Buffering: the negative control */
	bufferedUrl: string;
};

const STORES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * Ends with the test. Buffering and time limits are nginx's defaults.
 * @param targets origins of the instances behind it, asked in turn
 */
export async function startNginx(targets: readonly string[]): Promise<Proxy> {
	const [port, bufferedPort] = [await freePort(), await freePort()];
	const server = (listen: number, more: string) => `
		server {
			listen 127.0.0.1:${listen};
			location / { proxy_pass http://nowboard; proxy_set_header Host $http_host; ${more} }
		}`;
	// a server that was away once is asked again at once: in a rolling restart the next one is away a moment later
	const upstream = targets.map((target) => `server ${new URL(target).host} max_fails=0;`).join(' ');
	const output = runNginx(
		makeTemporaryFolder(),
		`upstream nowboard { ${upstream} }
		${server(port, '')}
		${server(bufferedPort, 'proxy_ignore_headers X-Accel-Buffering;')}`,
	);
	const url = `http://127.0.0.1:${port}`;
	const answers = () =>
		fetch(`${url}/healthz`).then(
			({ status }) => status,
			() => output(),
		);
	await expect.poll(answers, { timeout: 10_000 }).toBe(200);
	return { url, bufferedUrl: `http://127.0.0.1:${bufferedPort}` };
}

/**
 * Starts one and waits for nothing; it ends with the test.
 * @param folder of its own, removed with it
 * @param http what stands in the http block, as in /etc/nginx/conf.d
 * @returns what it has said so far
 */
export function runNginx(folder: string, http: string): () => string {
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
	onTestFinished(async () => {
		child.kill('SIGTERM');
		await ended;
		rmSync(folder, { recursive: true });
	});
	return () => output;
}
