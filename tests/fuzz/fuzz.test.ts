/** The short version; the long one is `npm run test:fuzz`. */
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/ports';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { WORLD_ENV } from '../attempts/world';
import { findPartProblems, findProblems, HEAP_GAIN, HONEST_P99_MS } from './judge';
import { lurk } from './lurk';
import type { PartResult } from './part';
import { fill, get, type Names } from './request';
import { toRequests } from './requests';
import { BATCH, createNames, runFuzz, type FuzzResult } from './run';

test('three thousand requests that nobody should send, beside half-open connections: no 5xx, no row that was not acknowledged, and it goes on', async () => {
	const { url, sql } = await useDatabase();
	const app = createAppServer(await freePort(), url, {
		...WORLD_ENV,
		LOG_LEVEL: 'fatal',
		INGEST_OPEN: 'true',
	});
	await app.start();
	const lurking = lurk(app.url, 200);
	try {
		const seed = Math.floor(Math.random() * 2 ** 30);
		const names = await createNames(app.url, sql, WORLD_ENV.SECRET);
		const result = await runFuzz({ names, sql, seed, batches: [0, 3_000 / BATCH] });
		expect(findProblems(result), `seed ${seed}`).toEqual([]);
		expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
		expect(app.exitCode()).toBeNull();
	} finally {
		lurking.stop();
		await app.kill('SIGTERM');
	}
}, 120_000);

test('the same seed makes the same requests', () => {
	expect(toRequests(7, 50)).toEqual(toRequests(7, 50));
	expect(toRequests(7, 50)).not.toEqual(toRequests(8, 50));
});

test('names are filled in, also where they are percent-encoded; what is no name stays', () => {
	const names: Names = { origin: 'o', session: 's', key: 'k', epoch: 'e', token: 'xyz' };
	const asked = get('any', '/%7Bepoch%7D-{x}?token=%7Btoken%3A1%7D', { cookie: '{session}' });
	expect(fill(asked, names, '10.0.0.1')).toMatchObject({
		path: '/e-{x}?token=xAz',
		headers: { cookie: 's', 'x-forwarded-for': '10.0.0.1' },
	});
});

const answers = new Map(Array.from({ length: 15 }, (_, i) => [`kind ${i}`, new Map()]));
const good: FuzzResult = { requests: 1, answers, failures: [], accepted: 1, rows: 1 };

test('(control) an answer of 500, and a row that nobody was told of, are seen', () => {
	expect(findProblems(good)).toEqual([]);
	expect(findProblems({ ...good, failures: ['500 for request 0'], rows: 2 })).toEqual([
		'500 for request 0',
		'1 events were acknowledged, 2 rows came',
	]);
});

test('(control) a heap that grows, a viewer who waits or sees nothing, a socket that stays, and a server that has ended are seen', () => {
	const looked = { events: 10, p50: 1, p99: 2, unseen: 0 };
	const part: PartResult = {
		...good,
		seconds: 1,
		calm: looked,
		attacked: looked,
		heap: [1, 2, 3, 4],
		resident: [],
		lurkers: { opened: 1, ended: 0 },
		sockets: [4, 4],
		ready: true,
	};
	expect(findPartProblems(part)).toEqual([]);
	const wrongs: [Partial<PartResult>, string][] = [
		[{ heap: [1, 1, 1, 2 + HEAP_GAIN] }, 'heap'],
		[{ heap: [] }, 'heap'],
		[{ attacked: { ...looked, p99: HONEST_P99_MS + 1 } }, 'p99'],
		[{ attacked: { ...looked, p99: NaN } }, 'p99'],
		[{ attacked: { ...looked, unseen: 1 } }, 'not seen'],
		[{ sockets: [4, 5] }, 'sockets'],
		[{ ready: false }, 'not ready'],
	];
	for (const [wrong, says] of wrongs)
		expect(findPartProblems({ ...part, ...wrong }), says).toEqual([expect.stringContaining(says)]);
});
