/** A browser that is let in stays let in: the cookie is put off by every page and by what an open page asks, and by nothing else. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import type { Sql } from '../../src/lib/server/db/connect';
import { createToken } from '../../src/lib/server/access/viewer-token';
import { addSession, COOKIE, PASSWORD, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

const MONTH_S = 30 * 24 * 3_600;
const DAY_S = 24 * 3_600;
/** between a question and what it is answered */
const SLACK_S = 60;
const PAGES = ['/', '/kiosk', '/status'];
/** what an open page asks every few minutes (src/lib/stores/dashboard.ts) */
const REGULAR = '/api/dashboard/status';

async function start(env: Record<string, string> = {}) {
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(await freePort(), databaseUrl, { ...WORLD_ENV, ...env });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const ask = (path: string, token: string | null, init: RequestInit = {}) =>
		fetch(`${app.url}${path}`, {
			redirect: 'manual',
			...init,
			headers: {
				accept: path.startsWith('/api') ? '*/*' : 'text/html',
				...(token !== null && { cookie: `${COOKIE}=${token}` }),
				...init.headers,
			},
		});
	return { app, sql, ask };
}

async function addLink(sql: Sql, livesS: number | null): Promise<string> {
	const { token, hash } = createToken();
	await sql`
		insert into nowboard.share_links (hash, name, expires_at)
		values (${hash}, 'wall', now() + ${livesS}::int * interval '1 s')`;
	return token;
}

/** What an answer sets, its Max-Age apart. */
function toSet(answer: Response): { text: string; maxAgeS: number } | null {
	const text = answer.headers.get('set-cookie');
	if (text === null) return null;
	const maxAgeS = Number(/Max-Age=(\d+)/.exec(text)?.[1]);
	return { text: text.replace(/Max-Age=\d+; /, ''), maxAgeS };
}

const asBefore = (token: string, secure = '') =>
	`${COOKIE}=${token}; Path=/; HttpOnly;${secure} SameSite=Lax`;

test('a session and a link without an end get another month with every page, and with what an open page asks', async () => {
	const { sql, ask } = await start();
	const session = (await addSession(sql)).token;
	const link = await addLink(sql, null);
	const asked = [
		...[...PAGES, '/settings', '/__data.json', REGULAR].map((path) => [path, session] as const),
		...[...PAGES, '/kiosk/__data.json', REGULAR].map((path) => [path, link] as const),
	];
	for (const [path, token] of asked) {
		const answer = await ask(path, token);
		const set = toSet(answer);
		expect([answer.status, set?.text], path).toEqual([200, asBefore(token)]);
		expect(set?.maxAgeS, path).toBeGreaterThan(MONTH_S - SLACK_S);
		expect(set?.maxAgeS, path).toBeLessThanOrEqual(MONTH_S);
		// no cache may hand it to another client
		expect(answer.headers.get('cache-control'), path).toMatch(/private|no-store/);
	}
});

test('a browser keeps a link that ends no longer than until then, from the first visit on', async () => {
	const { sql, ask } = await start();
	const link = await addLink(sql, DAY_S);
	for (const [path, token] of [
		[`/s/${link}`, null],
		['/kiosk', link],
		[REGULAR, link],
	] as const) {
		const set = toSet(await ask(path, token));
		expect(set?.text, path).toBe(asBefore(link));
		expect(set?.maxAgeS, path).toBeGreaterThan(DAY_S - SLACK_S);
		expect(set?.maxAgeS, path).toBeLessThanOrEqual(DAY_S);
	}
});

test('nothing is set without a viewer, for a URL token, and for an ended viewer', async () => {
	const { app, sql, ask } = await start();
	const { token: session } = await addSession(sql);
	const posted = await ask('/api/tokens', session, {
		method: 'POST',
		headers: { origin: app.url },
	});
	const { token } = (await posted.json()) as { token: string };
	const revoked = await addLink(sql, null);
	await sql`update nowboard.share_links set revoked_at = now()`;
	const asked = [
		...['/login', '/', '/kiosk', REGULAR, '/nowhere'].map((path) => [path, null] as const),
		[`${REGULAR}?token=${token}`, null],
		[`${REGULAR}?token=${token}`, session],
		...['/', REGULAR, `/s/${revoked}`].map((path) => [path, revoked] as const),
		...['/', REGULAR].map((path) => [path, 'A'.repeat(43)] as const),
		// where it does not matter who asks
		...['/login', '/healthz'].map((path) => [path, session] as const),
	] as const;
	for (const [path, cookie] of asked) {
		const answer = await ask(path, cookie);
		await answer.body?.cancel();
		expect(answer.headers.get('set-cookie'), `${path} as ${cookie}`).toBeNull();
	}
});

test('a session that was logged out is not brought back by an answer from before', async () => {
	const { app, ask } = await start();
	const form = (path: string, token: string | null, body: string) =>
		ask(path, token, {
			method: 'POST',
			headers: { origin: app.url, 'content-type': 'application/x-www-form-urlencoded' },
			body,
		});
	const entered = await form(
		'/login',
		null,
		new URLSearchParams({ password: PASSWORD }).toString(),
	);
	const session =
		/nowboard_viewer=([^;]+)/.exec(entered.headers.get('set-cookie') ?? '')?.[1] ?? '';
	// asked before the log-out, taken after it
	const before = toSet(await ask(REGULAR, session));
	expect(toSet(await form('/logout', session, ''))).toEqual({
		text: `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax`,
		maxAgeS: 0,
	});
	const brought = /nowboard_viewer=([^;]+)/.exec(before?.text ?? '')?.[1] ?? '';
	expect(brought).toBe(session);
	for (const path of ['/', REGULAR, '/settings']) {
		const answer = await ask(path, brought);
		expect([path, [303, 401].includes(answer.status), toSet(answer)]).toEqual([path, true, null]);
	}
});

test('behind https it is Secure, with every answer that sets it', async () => {
	const origin = 'https://now.example';
	const { sql, ask } = await start({ ORIGIN: origin });
	const session = (await addSession(sql)).token;
	const link = await addLink(sql, null);
	for (const path of ['/', '/settings', REGULAR])
		expect(toSet(await ask(path, session))?.text, path).toBe(asBefore(session, ' Secure;'));
	expect(toSet(await ask(`/s/${link}`, null))?.text).toBe(asBefore(link, ' Secure;'));
	const entered = await ask('/login', null, {
		method: 'POST',
		headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
		body: new URLSearchParams({ password: PASSWORD }).toString(),
	});
	expect(entered.headers.get('set-cookie')).toMatch(/; Secure; /);
});
