/** nginx in front of one address or several, configured by a test: as little as possible, or as a guide says. */
import { expect, onTestFinished } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { makeTemporaryFolder } from '../setup/server';
import { startNginxProcess } from './nginx-process';

export type Proxy = {
	/** without a slash at the end */
	url: string;
	/** the same server behind an nginx that does not listen to X-Accel-Buffering: the negative control */
	bufferedUrl: string;
};

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
 * @returns what it has said so far
 */
export function runNginx(folder: string, http: string): () => string {
	const { output, stop } = startNginxProcess(folder, http);
	onTestFinished(stop);
	return output;
}
