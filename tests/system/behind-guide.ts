/** A server of its own behind a proxy of the guide, with TLS; all of it ends with the test. */
import { onTestFinished } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { makeTemporaryFolder } from '../setup/server';
import { runCaddy } from './caddy';
import { makeCertificate, type Certificate } from './certificate';
import { GUIDE_NAME, readGuide, readNginxGuide } from './guide';
import { runNginx } from './nginx';

type Place = Certificate & { folder: string; port: number; app: string };

/** Starts one; returns what it has said so far. */
const PROXIES = {
	nginx: ({ folder, port, app, certificate, key }: Place) =>
		runNginx(folder, readNginxGuide({ port, certificate, key, upstreams: [app] })),
	Caddy({ folder, port, app, certificate, key }: Place) {
		const site = readGuide('Caddy', [
			[
				`${GUIDE_NAME} {`,
				`https://${GUIDE_NAME}:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}`,
			],
			['127.0.0.1:3000', app],
		]);
		return runCaddy(folder, site);
	},
};
export type GuideProxy = keyof typeof PROXIES;
export const GUIDE_PROXIES = Object.keys(PROXIES) as GuideProxy[];

/** @param env further variables of the server @returns the proxy's port on loopback; it may take a moment until it listens */
export async function startBehindGuide(
	proxy: GuideProxy,
	env: Record<string, string> = {},
): Promise<{ app: RunningApp; port: number; certificate: string; said: () => string }> {
	const { url } = await useDatabase();
	const app = createAppServer(await freePort(), url, {
		ORIGIN: `https://${GUIDE_NAME}`,
		ADDRESS_HEADER: 'X-Forwarded-For',
		...env,
	});
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const folder = makeTemporaryFolder();
	const files = makeCertificate(folder, GUIDE_NAME);
	const port = await freePort();
	const host = `127.0.0.1:${new URL(app.url).port}`;
	const said = PROXIES[proxy]({ folder, port, app: host, ...files });
	return { app, port, certificate: files.certificate, said };
}
