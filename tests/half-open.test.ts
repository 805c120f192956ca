/** Connections that never come to the point, against `node build`, for which a minute lasts less than a second. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../scripts/ports';
import { HEAD_MS, REQUEST_MS } from './fuzz/judge';
import { lurk } from './fuzz/lurk';
import { createAppServer } from './setup/app-server';
import { useDatabase } from './setup/instances';

const HURRY = 100;
/** For a machine that has other things to do. */
const SLACK_MS = 2_000;
const LURKERS = 12;
const PRELOAD = new URL('./setup/hurry.js', import.meta.url).href;

async function start(hurry: number) {
	const { url } = await useDatabase();
	const app = createAppServer(await freePort(), url, {
		HURRY: String(hurry),
		NODE_OPTIONS: `--import ${PRELOAD}`,
	});
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	return app;
}

test('half a head is ended within 90 s and half a request within 330, and a stream goes on; (control) without a limit they stay', async () => {
	const [app, patient] = await Promise.all([start(HURRY), start(0)]);
	const { patience } = JSON.parse(/\{"patience".*\}/.exec(app.output())?.[0] ?? '{}') as {
		patience: Record<string, number>;
	};
	expect(patience).toEqual({
		headersTimeout: expect.any(Number),
		requestTimeout: expect.any(Number),
		connectionsCheckingInterval: expect.any(Number),
	});
	const {
		headersTimeout = NaN,
		requestTimeout = NaN,
		connectionsCheckingInterval = NaN,
	} = patience;
	expect(headersTimeout).toBeGreaterThan(0);
	expect(requestTimeout).toBeGreaterThan(0);
	expect(headersTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(HEAD_MS);
	expect(requestTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(REQUEST_MS);

	const leaving = new AbortController();
	const stream = await fetch(`${app.url}/api/dashboard/stream`, { signal: leaving.signal });
	let streaming = true;
	void (async () => {
		const reader = stream.body?.getReader();
		while (!(await reader?.read())?.done);
	})()
		.catch(() => {})
		.finally(() => (streaming = false));

	const lurking = lurk(app.url, LURKERS);
	const staying = lurk(patient.url, LURKERS);
	onTestFinished(() => [lurking, staying].forEach((one) => one.stop()));
	await expect
		.poll(() => lurking.counts().bodiesEnded, { timeout: 20_000 })
		.toBeGreaterThanOrEqual(LURKERS / 2);
	const { headsEnded, oldestMs } = lurking.counts();
	expect(headsEnded).toBeGreaterThanOrEqual(LURKERS / 2);
	expect(oldestMs.head).toBeLessThan(HEAD_MS / HURRY + SLACK_MS);
	expect(oldestMs.body).toBeLessThan(REQUEST_MS / HURRY + SLACK_MS);
	expect(streaming).toBe(true);
	expect(staying.counts()).toMatchObject({ headsEnded: 0, bodiesEnded: 0 });
	leaving.abort();
}, 60_000);
