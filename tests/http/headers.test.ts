/** What every answer says to the browser that gets it, by the kind of answer; and what it says behind https alone. */
import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { addKey, addSession, COOKIE, METRICS_TOKEN, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

const COMMON = {
	'x-content-type-options': 'nosniff',
	'referrer-policy': 'same-origin',
	'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
	'x-frame-options': 'DENY',
};
const HSTS = 'max-age=63072000; includeSubDomains';

type Kind = { path: string; status: number; isPage?: boolean; init?: RequestInit };

async function start(env: Record<string, string> = {}) {
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(await freePort(), databaseUrl, { ...WORLD_ENV, ...env });
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const cookie = `${COOKIE}=${(await addSession(sql)).token}`;
	const { key } = await addKey(sql, 'secret', 'shop');
	const origin = env.ORIGIN ?? app.url;
	const mine = { cookie, accept: 'text/html' };
	const form = { ...mine, origin, 'content-type': 'application/x-www-form-urlencoded' };
	const send = (authorization: string): RequestInit => ({
		method: 'POST',
		headers: { authorization, 'content-type': 'application/json' },
		body: '{"name":"order"}',
	});
	const kinds: Record<string, Kind> = {
		'a page': { path: '/', status: 200, isPage: true, init: { headers: mine } },
		'the kiosk': { path: '/kiosk', status: 200, isPage: true, init: { headers: mine } },
		'the settings': { path: '/settings', status: 200, isPage: true, init: { headers: mine } },
		'the login': { path: '/login', status: 200, isPage: true },
		'a login refused': {
			path: '/login',
			status: 401,
			isPage: true,
			init: { method: 'POST', headers: form, body: 'password=wrong' },
		},
		'a page that is none': { path: '/nowhere', status: 404, isPage: true, init: { headers: mine } },
		// SvelteKit's plain page of an error: a sentence, and no script
		'a link that is none': { path: '/s/none', status: 404, init: { headers: mine } },
		'a page’s data': { path: '/__data.json', status: 200, init: { headers: mine } },
		'the stream': { path: '/api/dashboard/stream', status: 200, init: { headers: { cookie } } },
		'its head': {
			path: '/api/dashboard/stream',
			status: 200,
			init: { method: 'HEAD', headers: { cookie } },
		},
		'the status': { path: '/api/dashboard/status', status: 200, init: { headers: { cookie } } },
		'a question that is none': {
			path: '/api/dashboard/history?range=x',
			status: 400,
			init: { headers: { cookie } },
		},
		'a token': {
			path: '/api/tokens',
			status: 201,
			init: { method: 'POST', headers: { cookie, origin } },
		},
		'an event': { path: '/api/events', status: 202, init: send(`Bearer ${key}`) },
		'an event refused': { path: '/api/events', status: 401, init: send('Bearer x') },
		'a method that is none': {
			path: '/api/events',
			status: 405,
			init: { method: 'DELETE', headers: { origin } },
		},
		'the tracker': { path: '/t.js', status: 200 },
		health: { path: '/healthz', status: 200 },
		metrics: {
			path: '/metrics',
			status: 200,
			init: { headers: { authorization: `Bearer ${METRICS_TOKEN}` } },
		},
		'an unauthenticated client refused': { path: '/api/dashboard/status', status: 401 },
		'an unauthenticated client sent to the login': {
			path: '/',
			status: 303,
			init: { headers: { accept: 'text/html' } },
		},
	};
	/** answers that SvelteKit or the static files give by themselves (docs/security.md, "Where it ends") */
	const [script] = readdirSync('build/client/_app/immutable/entry');
	const bare: Record<string, Kind> = {
		'a foreign form': {
			path: '/logout',
			status: 403,
			init: { method: 'POST', headers: { ...form, origin: 'https://evil.example' } },
		},
		'a script': { path: `/_app/immutable/entry/${script}`, status: 200 },
	};
	const ask = async ({ path, init }: Kind) => {
		const answer = await fetch(`${app.url}${path}`, { redirect: 'manual', ...init });
		await answer.body?.cancel();
		return answer;
	};
	return { kinds, bare, ask };
}

const read = (answer: Response, names: readonly string[]) =>
	Object.fromEntries(names.map((name) => [name, answer.headers.get(name)]));

test('no answer is guessed at, framed or told of elsewhere, and none may use what the page needs not', async () => {
	const { kinds, bare, ask } = await start();
	for (const [what, kind] of Object.entries(kinds)) {
		const answer = await ask(kind);
		expect([what, answer.status]).toEqual([what, kind.status]);
		expect(read(answer, Object.keys(COMMON)), what).toEqual(COMMON);
		expect(answer.headers.get('strict-transport-security'), what).toBeNull();
		const policy = answer.headers.get('content-security-policy');
		if (!kind.isPage) continue;
		expect(policy, what).toContain("frame-ancestors 'none'");
		expect(policy, what).toMatch(/script-src 'self' 'nonce-[^']+'/);
		expect(policy, what).not.toMatch(/script-src[^;]*unsafe/);
	}
	for (const [what, kind] of Object.entries(bare)) {
		const answer = await ask(kind);
		expect([what, answer.status]).toEqual([what, kind.status]);
		expect(answer.headers.get('set-cookie'), what).toBeNull();
	}
});

test('behind https browsers are told to stay there, and on http they are not', async () => {
	const { kinds, ask } = await start({ ORIGIN: 'https://now.example' });
	for (const [what, kind] of Object.entries(kinds)) {
		const answer = await ask(kind);
		expect([what, answer.status]).toEqual([what, kind.status]);
		expect(answer.headers.get('strict-transport-security'), what).toBe(HSTS);
	}
});

test('a proxy’s word for https counts where PROTOCOL_HEADER names it', async () => {
	const { ask } = await start({ ORIGIN: '', PROTOCOL_HEADER: 'x-forwarded-proto' });
	const hsts = async (proto: string) =>
		(
			await ask({ path: '/login', status: 200, init: { headers: { 'x-forwarded-proto': proto } } })
		).headers.get('strict-transport-security');
	expect([await hsts('https'), await hsts('http')]).toEqual([HSTS, null]);
});
