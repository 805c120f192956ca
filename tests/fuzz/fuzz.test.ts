/** The short version; the long one is `npm run test:fuzz`. */
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/ports';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { toRequests } from './requests';
import { findProblems, runFuzz, type FuzzResult } from './run';

test('three thousand requests that nobody should send: no 5xx, no row that was not acknowledged, and it goes on', async () => {
	const { url, sql } = await useDatabase();
	const app = createAppServer(await freePort(), url, {
		LOG_LEVEL: 'fatal',
		DASHBOARD_PUBLIC: 'false',
		DASHBOARD_PASSWORD: 'correct horse',
	});
	await app.start();
	try {
		const seed = Math.floor(Math.random() * 2 ** 30);
		const result = await runFuzz({ url: app.url, sql, seed, requests: 3_000 });
		expect(findProblems(result), `seed ${seed}`).toEqual([]);
		expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
		expect(app.exitCode()).toBeNull();
	} finally {
		await app.kill('SIGTERM');
	}
}, 120_000);

test('the same seed makes the same requests', () => {
	expect(toRequests(7, 50)).toEqual(toRequests(7, 50));
	expect(toRequests(7, 50)).not.toEqual(toRequests(8, 50));
});

test('(control) an answer of 500, and a row that nobody was told of, are seen', () => {
	const result: FuzzResult = {
		requests: 1,
		answers: new Map(Array.from({ length: 10 }, (_, i) => [`kind ${i}`, new Map()])),
		failures: ['500 for request 0'],
		accepted: 1,
		rows: 2,
	};
	expect(findProblems(result)).toEqual([
		'500 for request 0',
		'1 events were acknowledged, 2 rows came',
	]);
	expect(findProblems({ ...result, failures: [], rows: 1 })).toEqual([]);
});
