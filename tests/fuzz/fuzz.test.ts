/** The short version; the long one is `npm run test:fuzz`. */
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createKeyring } from '../../src/lib/server/keys/keyring';
import { createShareLinks } from '../../src/lib/server/access/share-links';
import type { Viewers } from '../../src/lib/server/access/viewers';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { WORLD_ENV } from '../attempts/world';
import { actions } from '../../src/routes/settings/+page.server';
import { startHonestViewers } from './honest';
import {
	findHonestProblems,
	findPartProblems,
	findProblems,
	HEAD_MS,
	HEAP_GAIN,
	HEAP_LEFT,
	HONEST_FLOOR_MS,
	HONEST_P99_MS,
	REQUEST_MS,
} from './judge';
import { toGranted } from './forms';
import { lurk } from './lurk';
import { PATHS } from './looks';
import type { PartResult } from './part';
import { fill, get, post, type Names } from './request';
import { ALWAYS, toRequests } from './requests';
import { BATCH, createNames, runFuzz, type FuzzResult } from './run';
import { surrogates } from './surrogates';
import {
	countTables,
	findUnexplained,
	NOTHING_GRANTED,
	SETTINGS_ACTIONS,
	type Granted,
} from './tables';

const EVERY_MS = 200;
/** Other tests share the cores: here honest viewers must see everything, however late; the long run looks at the delay. */
const HOWEVER_LATE = { floorMs: Infinity, mostMs: Infinity };
const ON_ITS_WAY_MS = 120_000;

test('three thousand hostile requests: no 5xx, no unacknowledged row, and viewers go on', async () => {
	const { url, sql } = await useDatabase();
	const app = createAppServer(await freePort(), url, {
		...WORLD_ENV,
		LOG_LEVEL: 'fatal',
		INGEST_OPEN: 'true',
	});
	await app.start();
	const seed = 20_261_126;
	const names = await createNames(app.url, sql, WORLD_ENV.SECRET, WORLD_ENV.METRICS_TOKEN);
	const honest = await startHonestViewers({
		origin: app.url,
		databaseUrl: url,
		session: names.session,
		viewers: 3,
		everyMs: EVERY_MS,
		onItsWayMs: ON_ITS_WAY_MS,
	});
	const lurking = lurk(app.url, 200);
	try {
		const result = await runFuzz({ names, sql, seed, batches: [0, 3_000 / BATCH] });
		expect(findProblems(result), `seed ${seed}`).toEqual([]);
		const looked = await honest.report();
		expect(looked.events).toBeGreaterThan(0);
		expect(findHonestProblems(looked, looked, HOWEVER_LATE)).toEqual([]);
		expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
		expect(app.exitCode()).toBeNull();
	} finally {
		await honest.stop();
		lurking.stop();
		await app.kill('SIGTERM');
	}
}, 300_000);

test('the same seed makes the same requests', () => {
	expect(toRequests(7, 50)).toEqual(toRequests(7, 50));
	expect(toRequests(7, 50)).not.toEqual(toRequests(8, 50));
});

test('every action of the settings is among the forms, every route among the paths, and half a letter in each batch', () => {
	expect([...SETTINGS_ACTIONS].sort()).toEqual(Object.keys(actions).sort());
	expect(PATHS).toEqual(expect.arrayContaining(['/status', '/api/dashboard/history', '/s/']));
	const batches = [7, 8, 9, 10].map((seed) => toRequests(seed, BATCH));
	for (const batch of batches)
		expect(batch.filter(({ kind }) => kind === 'half a letter').length).toBeGreaterThan(40);
	const sent = new Set(batches.flat());
	expect(ALWAYS.filter((one) => !sent.has(one))).toEqual([]);
	const bytes = surrogates.map(({ body }) => body?.toString('latin1') ?? '');
	expect(bytes.filter((text) => text.includes('\xed\xa0\x80'))).not.toEqual([]);
	expect(bytes.filter((text) => text.includes('\\ud800'))).not.toEqual([]);
});

test('names are filled in, also where they are percent-encoded; what is no name stays', () => {
	const names: Names = {
		...{ origin: 'o', session: 's', link: 'l', key: 'k', metrics: 'm', epoch: 'e' },
		token: 'xyz',
	};
	const asked = get('any', '/%7Bepoch%7D-{x}?token=%7Btoken%3A1%7D', { cookie: '{session}' });
	expect(fill(asked, names, '10.0.0.1')).toMatchObject({
		path: '/e-{x}?token=xAz',
		headers: { cookie: 's', 'x-forwarded-for': '10.0.0.1' },
	});
});

const answers = new Map(Array.from({ length: 20 }, (_, i) => [`kind ${i}`, new Map()]));
const granted = { share: 1, unshare: 1, makeKey: 1, rotateKey: 1, revokeKey: 1 };
const good: FuzzResult = {
	...{ requests: 1, answers, failures: [], accepted: 1, rows: 1 },
	...{ granted, unexplained: [] },
};

test('(control) finds a 500 and an unacknowledged row', () => {
	expect(findProblems(good)).toEqual([]);
	expect(
		findProblems({ ...good, failures: ['500 for request 0'], rows: 2, unexplained: ['a row'] }),
	).toEqual(['500 for request 0', 'a row', '1 events were acknowledged, 2 rows came']);
	expect(findProblems({ ...good, granted: { ...granted, share: 0 } })).toEqual([
		expect.stringContaining('"share"'),
	]);
});

test('rows of other tables are explained by what was granted, and by nothing else', async () => {
	const { sql } = await useDatabase();
	const before = await countTables(sql);
	const is = async (change: Partial<Granted>) =>
		findUnexplained(before, await countTables(sql), { ...NOTHING_GRANTED, ...change }, 0);
	expect(await is({})).toEqual([]);
	const sessions = {} as Viewers;
	const links = createShareLinks(sql, { ...sessions, forget: () => {} });
	const keyring = createKeyring(sql);
	await links.create('a', null);
	await links.revoke(1);
	await links.revoke(1);
	const key = { kind: 'secret', source: 'a', name: 'a', origins: [] } as const;
	const made = await keyring.create({ ...key, origins: [] });
	const rotated = await keyring.rotate(made.id);
	await keyring.revoke(Number(rotated?.id));
	const granted = { share: 1, unshare: 2, makeKey: 1, rotateKey: 1, revokeKey: 1 };
	expect(await is(granted)).toEqual([]);
	// (controls)
	expect(await is({ ...granted, share: 0 })).toEqual([
		'share_links changed by 1: what was granted explains 0',
		expect.stringContaining('audit changed'),
		expect.stringContaining('audit: link made'),
	]);
	expect(await is({ ...granted, unshare: 0 })).toEqual([
		expect.stringContaining('share_links, ended changed by 1'),
	]);
	expect(await is({ ...granted, rotateKey: 0 })).not.toEqual([]);
	// the limit on logins is told once in its time
	const refuse = () => sql`insert into nowboard.audit (action) values ('logins refused')`;
	await refuse();
	expect(await is(granted)).toEqual([]);
	await refuse();
	expect(await is(granted)).toEqual([
		expect.stringContaining('audit: logins refused changed by 2'),
	]);
	await sql`delete from nowboard.audit where action = 'logins refused'`;
	await sql`insert into nowboard.sessions (hash, expires_at) values ('x', now())`;
	await sql`insert into nowboard.audit (action) values ('login')`;
	await sql`insert into nowboard.meta (key, value) values ('x', 'y')`;
	expect((await is(granted)).map((problem) => problem.replace(/ changed.*/, '')).sort()).toEqual([
		'audit',
		'audit: login',
		'meta, of no use',
		'sessions',
	]);
});

test('a form is granted by its answer, also where a script is told 200 of a refusal', () => {
	const form = (path: string) => ({ ...post('a form of ours', Buffer.from('')), path });
	const share = form('/settings?/share');
	expect([
		toGranted(share, 200, '{"type":"success","status":200,"data":"[]"}'),
		toGranted(share, 200, '<!doctype html>'),
		toGranted(share, 200, '{"type":"failure","status":400,"data":"[]"}'),
		toGranted(share, 400, '<!doctype html>'),
		toGranted({ ...share, method: 'GET' }, 200, '<!doctype html>'),
		toGranted(form('/settings?/x'), 200, ''),
	]).toEqual(['share', 'share', null, null, null, null]);
});

const looked = { events: 10, p50: 1, p99: 2, unseen: 0 };

test('(control) viewers who wait, beside the calm of the same run, or see nothing are seen', () => {
	const busy = { ...looked, p99: HONEST_FLOOR_MS };
	const p99 = (calm: number, attacked: number) =>
		findHonestProblems({ ...looked, p99: calm }, { ...looked, p99: attacked }).length;
	expect(findHonestProblems(looked, busy)).toEqual([]);
	expect([p99(1, HONEST_FLOOR_MS + 1), p99(200, 399), p99(200, 401)]).toEqual([1, 0, 1]);
	expect([p99(900, HONEST_P99_MS), p99(900, HONEST_P99_MS + 1), p99(1, NaN)]).toEqual([0, 1, 1]);
	expect(findHonestProblems({ ...looked, unseen: 1 }, looked)).toHaveLength(1);
});

test('(control) a heap that grows, a viewer who waits or sees nothing, half a request that is held, a socket that stays, and a server that has ended are seen', () => {
	const oldestMs = { head: HEAD_MS, body: REQUEST_MS };
	const lurkers = { opened: 1, headsEnded: 0, bodiesEnded: 0, oldestMs };
	const part: PartResult = {
		...good,
		seconds: 1,
		cpuMs: 1,
		calm: looked,
		attacked: looked,
		heap: [1, 2, 3, 4],
		resident: [],
		lurkers,
		left: { heap: [1, 2], sockets: [4, 4] },
		ready: true,
	};
	expect(findPartProblems(part)).toEqual([]);
	const old = (of: 'head' | 'body') => ({
		...lurkers,
		oldestMs: { ...oldestMs, [of]: oldestMs[of] + 10_000 },
	});
	const wrongs: [Partial<PartResult>, string][] = [
		[{ left: { heap: [1, 2 + HEAP_LEFT], sockets: [4, 4] } }, 'heap'],
		[{ left: { heap: [1, NaN], sockets: [4, 4] } }, 'heap'],
		[{ heap: [1, 1, 1, 2 + HEAP_GAIN] }, 'second half'],
		[{ heap: [] }, 'second half'],
		[{ attacked: { ...looked, p99: HONEST_P99_MS + 1 } }, 'p99'],
		[{ attacked: { ...looked, p99: NaN } }, 'p99'],
		[{ attacked: { ...looked, unseen: 1 } }, 'not seen'],
		[{ lurkers: old('head') }, 'half a head'],
		[{ lurkers: old('body') }, 'half a body'],
		[{ left: { heap: [1, 1], sockets: [4, 5] } }, 'sockets'],
		[{ ready: false }, 'not ready'],
	];
	for (const [wrong, says] of wrongs)
		expect(findPartProblems({ ...part, ...wrong }), says).toEqual([expect.stringContaining(says)]);
});
