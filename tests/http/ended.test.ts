/** Ending a viewer closes its streams on every instance within 5 s, also those opened meanwhile. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { createTokens, TOKEN_MS } from '../../src/lib/server/access/tokens';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';
import { COOKIE, createWorld, SECRET, WORLD_ENV } from '../attempts/world';

/** The promise is 5 s; a busy machine may take ten times as long. */
const ENDED_MS = 50_000;
const TRIED_EVERY_MS = 250;
/** The time left to a session that is about to expire: an instance looks every few seconds, also one that is ten times slower. */
const REST_MS = 60_000;
/** The time left to a token: streams by it have to be opened meanwhile. */
const TOKEN_REST_MS = 3_000;
/** Tokens end at a whole second. */
const SECOND_MS = 1_000;

async function start() {
	const { url, sql } = await useDatabase();
	const apps = await Promise.all(
		[1, 2].map(async () => {
			const app = createAppServer(await freePort(), url, { ...WORLD_ENV, LOG_LEVEL: 'info' });
			onTestFinished(() => app.kill('SIGTERM'));
			await app.start();
			return app;
		}),
	);
	const [first] = apps;
	if (!first) throw new Error('no instance was started');
	return { apps, first, sql, world: await createWorld(first.url, first.url, sql) };
}

/** Opens a stream. `ended` resolves to the time of its end and what it said last; null: it was refused. */
async function open(url: string, headers: Record<string, string>, query = '') {
	const response = await fetch(`${url}/api/dashboard/stream${query}`, { headers });
	if (response.status !== 200) {
		await response.body?.cancel();
		return { status: response.status, ended: Promise.resolve(null) };
	}
	const ended = response.text().then((text) => ({ at: performance.now(), text }));
	return { status: 200, ended };
}

/** A token for this cookie, and the streams of both on every instance. */
async function openByBoth(apps: readonly { url: string }[], holder: string) {
	const cookie = { cookie: `${COOKIE}=${holder}` };
	const origin = apps[0]?.url ?? '';
	const asked = { method: 'POST', headers: { ...cookie, origin } };
	const { token } = (await (await fetch(`${origin}/api/tokens`, asked)).json()) as {
		token: string;
	};
	const streams = await Promise.all(
		apps.flatMap(({ url }) => [open(url, cookie), open(url, {}, `?token=${token}`)]),
	);
	expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
	return streams;
}

const endsWithGoodbye = /event: bye\ndata: \{"retryMs":\d+\}\n\n$/;

test('logged out everywhere: streams by cookie and by token end on both instances, late ones too; that of a link goes on', async () => {
	const { apps, first, world } = await start();
	const cookie = { cookie: `${COOKIE}=${world.session}` };
	const streams = await Promise.all(
		apps.flatMap(({ url }) => [open(url, cookie), open(url, {}, `?token=${world.tokens.good}`)]),
	);
	const links = await Promise.all(
		apps.map(({ url }) => open(url, { cookie: `${COOKIE}=${world.link}` })),
	);
	expect([...streams, ...links].map(({ status }) => status)).toEqual(Array(6).fill(200));

	const out = await fetch(`${first.url}/logout`, {
		method: 'POST',
		redirect: 'manual',
		headers: { ...cookie, origin: first.url, 'content-type': 'application/x-www-form-urlencoded' },
		body: 'everywhere=true',
	});
	expect(out.status).toBe(303);
	const since = performance.now();
	// the instance that was asked knows at once; the other may believe in the session for a moment
	const late: Awaited<ReturnType<typeof open>>[] = [];
	const tryAgain = async () => {
		late.push(...(await Promise.all(apps.map(({ url }) => open(url, cookie)))));
		return late.slice(-2).map(({ status }) => status);
	};
	await expect.poll(tryAgain, { timeout: ENDED_MS, interval: TRIED_EVERY_MS }).toEqual([401, 401]);
	const ends = await Promise.all([...streams, ...late].map(({ ended }) => ended));
	for (const end of ends) {
		if (!end) continue;
		expect(end.at - since).toBeLessThan(ENDED_MS);
		expect(end.text).toMatch(endsWithGoodbye);
	}
	const others = await Promise.race([
		...links.map(({ ended }) => ended),
		new Promise((resolve) => setTimeout(resolve, 100, 'go on')),
	]);
	expect(others).toBe('go on');
}, 300_000);

test('a link that is revoked, and one that expires: its streams by cookie and by token end on both instances', async () => {
	const { apps, sql, world } = await start();
	for (const [what, end] of [
		[
			'expires',
			() => sql`update nowboard.share_links set expires_at = now() where id = ${world.ids.link}`,
		],
		[
			'is revoked',
			() => sql`update nowboard.share_links set revoked_at = now() where id = ${world.ids.link}`,
		],
	] as const) {
		await sql`update nowboard.share_links set expires_at = null, revoked_at = null where id = ${world.ids.link}`;
		const cookie = { cookie: `${COOKIE}=${world.link}` };
		await expect
			.poll(
				async () =>
					Promise.all(
						apps.map(
							async ({ url }) =>
								(await fetch(`${url}/api/dashboard/status`, { headers: cookie })).status,
						),
					),
				{ timeout: ENDED_MS },
			)
			.toEqual([200, 200]);
		const streams = await openByBoth(apps, world.link);
		await end();
		const since = performance.now();
		for (const ended of await Promise.all(streams.map(({ ended }) => ended))) {
			expect(ended?.text, what).toMatch(endsWithGoodbye);
			expect((ended?.at ?? Infinity) - since, what).toBeLessThan(ENDED_MS);
		}
	}
}, 300_000);

test('a session in use is extended; an expired one ends its streams on both instances', async () => {
	const { apps, sql, world } = await start();
	const streams = await openByBoth(apps, world.session);
	const hash = world.sessionHash;
	const isEnded = Promise.race(streams.map(({ ended }) => ended));
	await sql`
		update nowboard.sessions set expires_at = now() + ${REST_MS} * interval '1 ms' where hash = ${hash}`;
	const days = async () =>
		(
			await sql<{ days: number }[]>`
				select extract(epoch from expires_at - now())::float8 / 86400 as days from nowboard.sessions where hash = ${hash}`
		)[0]?.days;
	await expect.poll(days, { timeout: REST_MS }).toBeGreaterThan(29);
	expect(await Promise.race([isEnded, 'goes on'])).toBe('goes on');

	await sql`update nowboard.sessions set expires_at = now() where hash = ${hash}`;
	const since = performance.now();
	for (const ended of await Promise.all(streams.map(({ ended }) => ended))) {
		expect(ended?.text).toMatch(endsWithGoodbye);
		expect((ended?.at ?? Infinity) - since).toBeLessThan(ENDED_MS);
	}
	const late = await Promise.all(
		apps.map(({ url }) => open(url, { cookie: `${COOKIE}=${world.session}` })),
	);
	expect(late.map(({ status }) => status)).toEqual([401, 401]);
	expect((await days()) ?? 0).toBeLessThanOrEqual(0);
}, 300_000);

test('a token that reaches its end: its streams end on both instances, and not before; its session goes on', async () => {
	const { apps, world } = await start();
	const cookie = { cookie: `${COOKIE}=${world.session}` };
	const others = await Promise.all(apps.map(({ url }) => open(url, cookie)));
	expect(others.map(({ status }) => status)).toEqual([200, 200]);
	const openByToken = async (restMs: number) => {
		// as it was given when almost all of its time was still to come
		const { token } = await createTokens(async () => SECRET, {
			now: () => Date.now() - TOKEN_MS + restMs,
		}).issue(world.session);
		const since = performance.now();
		const streams = await Promise.all(apps.map(({ url }) => open(url, {}, `?token=${token}`)));
		return { token, since, restMs, streams };
	};
	let opened = await openByToken(TOKEN_REST_MS);
	// on a machine that is busy just then, it has ended before
	while (opened.streams.some(({ status }) => status !== 200))
		opened = await openByToken(2 * opened.restMs);
	const { token, since, restMs, streams } = opened;
	for (const ended of await Promise.all(streams.map(({ ended }) => ended))) {
		expect(ended?.text).toMatch(endsWithGoodbye);
		expect((ended?.at ?? 0) - since).toBeGreaterThan(restMs - 2 * SECOND_MS);
	}
	const late = await Promise.all(apps.map(({ url }) => open(url, {}, `?token=${token}`)));
	expect(late.map(({ status }) => status)).toEqual([401, 401]);
	const going = await Promise.race([
		...others.map(({ ended }) => ended),
		new Promise((resolve) => setTimeout(resolve, 100, 'go on')),
	]);
	expect(going).toBe('go on');
}, 300_000);

test('a stream that is opened while an instance still believes in the viewer ends in time too', async () => {
	const { apps, sql, world } = await start();
	const other = apps[1];
	const cookie = { cookie: `${COOKIE}=${world.session}` };
	const ask = async () =>
		(await fetch(`${other?.url}/api/dashboard/status`, { headers: cookie })).status;
	expect(await ask()).toBe(200);
	await sql`delete from nowboard.sessions`;
	const since = performance.now();
	// how long it is still let in: no other stream has made the instance look before
	let last = since;
	while ((await ask()) === 200) {
		last = performance.now();
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	// on a machine that is busy just then, it opens too late: then sooner
	for (let restMs = (last - since) / 2; ; restMs /= 2) {
		await sql`
			insert into nowboard.sessions (hash, expires_at) values (${world.sessionHash}, now() + interval '1 hour')`;
		await expect.poll(ask, { timeout: ENDED_MS }).toBe(200);
		await sql`delete from nowboard.sessions`;
		const again = performance.now();
		await new Promise((resolve) => setTimeout(resolve, restMs));
		const { status, ended } = await open(other?.url ?? '', cookie);
		if (status !== 200) continue;
		const end = await ended;
		expect(end?.text).toMatch(endsWithGoodbye);
		expect((end?.at ?? Infinity) - again).toBeLessThan(ENDED_MS);
		return;
	}
}, 300_000);
