/** What `node build` writes: a line for each request with its id, what an answer that failed says of it, and never a secret. */
import { inject, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import { connect } from '../../src/lib/server/db/connect';
import { createKey } from '../../src/lib/server/keys/key-store';
import { createAppServer, type RunningApp } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

const PASSWORD = 'correct horse battery';
const METRICS_TOKEN = 'a token for prometheus';
const SECRET = 'a secret of at least thirty-two characters';

type Line = { level: number; msg: string; requestId?: string; [key: string]: unknown };

async function startApp(databaseUrl: string, env: Record<string, string> = {}) {
	const app = createAppServer(await freePort(), databaseUrl, env);
	onTestFinished(() => app.kill('SIGKILL'));
	await app.start();
	const lines = () =>
		app
			.output()
			.split('\n')
			.filter((line) => line.startsWith('{'))
			.map((line) => JSON.parse(line) as Line);
	return { app, lines, of: (id: string) => lines().filter(({ requestId }) => requestId === id) };
}

function ask(app: RunningApp, path: string, init: RequestInit & { id?: string } = {}) {
	const headers = new Headers(init.headers);
	if (init.id) headers.set('x-request-id', init.id);
	return fetch(`${app.url}${path}`, { redirect: 'manual', ...init, headers });
}

const post = (body: unknown, headers: Record<string, string> = {}) => ({
	method: 'POST',
	headers: { 'content-type': 'application/json', ...headers },
	body: JSON.stringify(body),
});

test('every request has a line with its id, and so has its answer; a stream has one more at its end', async () => {
	const { url } = await useDatabase();
	const { app, lines, of } = await startApp(url, { LOG_REQUESTS: 'all' });
	const taken = await ask(app, '/api/events', { ...post({ name: 'x' }), id: 'from-a-proxy.1' });
	expect(taken.headers.get('x-request-id')).toBe('from-a-proxy.1');
	const refused = await ask(app, '/api/events', { ...post({ name: '' }), id: 'refused' });
	expect([refused.status, refused.headers.get('x-request-id')]).toEqual([400, 'refused']);
	const made = (await ask(app, '/healthz', { id: 'not "well" formed' })).headers.get(
		'x-request-id',
	);
	expect(made).toMatch(/^[0-9a-f-]{36}$/);
	const closing = new AbortController();
	const stream = await ask(app, '/api/dashboard/stream', { id: 'stream', signal: closing.signal });
	await stream.body?.getReader().read();
	closing.abort();
	await expect.poll(() => of('stream').length).toBe(2);
	const short = ['method', 'path', 'status', 'msg', 'reason', 'level'];
	const said = (id: string) =>
		of(id).map((line) => short.flatMap((key) => (key in line ? [line[key]] : [])));
	expect(
		Object.fromEntries(
			['from-a-proxy.1', 'refused', made ?? '', 'stream'].map((id) => [id, said(id)]),
		),
	).toEqual({
		'from-a-proxy.1': [['POST', '/api/events', 202, 'request', 30]],
		refused: [['POST', '/api/events', 400, 'request', 30]],
		[made ?? '']: [['GET', '/healthz', 200, 'request', 30]],
		stream: [
			['GET', '/api/dashboard/stream', 200, 'request', 30],
			['stream ended', 'client_left', 30],
		],
	});
	for (const line of lines().filter(({ msg }) => msg === 'request'))
		expect(line.ms, JSON.stringify(line)).toBeGreaterThan(0);
});

test('as it comes, nothing is written for what goes well, or for what clients do wrong', async () => {
	const { url } = await useDatabase();
	const { app, lines } = await startApp(url);
	const before = lines().length;
	for (let i = 0; i < 20; i++) {
		await ask(app, '/api/events', post({ name: i % 2 ? 'x' : '' }));
		await ask(app, '/nowhere');
	}
	expect(lines().length).toBe(before);
});

test('what fails is logged once, with the id that its answer names', async () => {
	const { url } = await useDatabase();
	const env = { DASHBOARD_PUBLIC: 'false', DASHBOARD_PASSWORD: PASSWORD };
	const { app, of } = await startApp(url, env);
	const login = await ask(app, '/login', {
		method: 'POST',
		headers: { origin: app.url, 'content-type': 'application/x-www-form-urlencoded' },
		body: new URLSearchParams({ password: PASSWORD }),
	});
	const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
	expect((await ask(app, '/settings', { headers: { cookie } })).status).toBe(200);
	const admin = connect(inject('adminUrl'), { max: 1 });
	onTestFinished(() => admin.end({ timeout: 1 }));
	const broken = connect(url, { max: 1 });
	await broken`alter table nowboard.share_links rename to elsewhere`;
	await broken.end();
	const failed = await ask(app, '/settings', {
		headers: { cookie, accept: 'application/json' },
		id: 'failed',
	});
	const page = await ask(app, '/settings', {
		headers: { cookie, accept: 'text/html' },
		id: 'page',
	});
	expect([failed.status, page.status, await page.text()]).toEqual([
		500,
		500,
		expect.stringContaining('page'),
	]);
	const [line, ...more] = of('failed');
	expect([line?.level, line?.msg, line?.path, more]).toEqual([
		50,
		'Internal Error',
		'/settings',
		[],
	]);
	expect(JSON.stringify(line?.err)).toContain('share_links');
	const denied = await ask(app, '/settings', { id: 'denied' });
	expect([denied.status, await denied.json()]).toEqual([
		401,
		{ message: 'Log in to view this dashboard.', requestId: 'denied' },
	]);
});

test('no key, token, cookie or password is ever written, at any level', async () => {
	const { url, sql } = await useDatabase();
	const { app, lines } = await startApp(url, {
		LOG_LEVEL: 'trace',
		LOG_REQUESTS: 'all',
		DASHBOARD_PUBLIC: 'false',
		DASHBOARD_PASSWORD: PASSWORD,
		INGEST_OPEN: 'false',
		METRICS_TOKEN,
		SECRET,
	});
	const input = { source: 'shop', name: 'shop', origins: [] };
	const publicKey = (await createKey(sql, { ...input, kind: 'public' }, 'command')).key;
	const secretKey = (await createKey(sql, { ...input, kind: 'secret' }, 'command')).key;
	const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
		method: 'POST',
		headers: {
			origin: app.url,
			'content-type': 'application/x-www-form-urlencoded',
			...headers,
		},
		body: new URLSearchParams(fields),
	});
	await ask(app, '/login', form({ password: 'a wrong password' }));
	const login = await ask(app, '/login', form({ password: PASSWORD }));
	const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
	const session = cookie.split('=')[1] ?? '';
	const shared = await ask(app, '/settings?/share', form({ name: 'wall', days: '' }, { cookie }));
	const link = /\/s\/([\w-]{20,})/.exec(await shared.text())?.[1] ?? '';
	await ask(app, `/s/${link}?to=/kiosk`);
	await ask(app, `/s/${link}/typo`);
	const issued = await ask(app, '/api/tokens', {
		method: 'POST',
		headers: { cookie, origin: app.url },
	});
	const { token } = (await issued.json()) as { token: string };
	const closing = new AbortController();
	const stream = await ask(app, `/api/dashboard/stream?token=${token}`, { signal: closing.signal });
	expect(stream.status).toBe(200);
	closing.abort();
	await ask(app, `/api/dashboard/status?token=${token}x`);
	const taken = [
		await ask(app, `/api/events?key=${publicKey}`, post({ name: 'x' })),
		await ask(app, '/api/events', post({ name: 'x' }, { authorization: `Bearer ${secretKey}` })),
	];
	expect(taken.map(({ status }) => status)).toEqual([202, 202]);
	await ask(app, `/api/events/${secretKey}`, post({ name: 'x' }));
	await ask(app, `/api/events?key=${publicKey}wrong`, post({ name: 'x' }));
	await ask(app, '/metrics', { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
	await ask(app, `/?to=${token}&password=${encodeURIComponent(PASSWORD)}`);
	// and what the database says when it is gone
	await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
	await expect.poll(() => lines().filter(({ msg }) => msg === 'stream ended').length).toBe(1);
	await app.kill('SIGTERM');

	const output = app.output();
	const paths = lines().flatMap(({ path }) => (typeof path === 'string' ? [path] : []));
	expect(paths).toEqual(
		expect.arrayContaining(['/s/[token]?to=…', '/api/events?key=…', '/metrics']),
	);
	const secrets = {
		PASSWORD,
		wrongPassword: 'a wrong password',
		METRICS_TOKEN,
		SECRET,
		publicKey,
		secretKey,
		session,
		link,
		token,
		database: new URL(url).password,
	};
	for (const [name, secret] of Object.entries(secrets)) {
		expect(secret.length, name).toBeGreaterThan(3);
		for (const form of [
			secret,
			encodeURIComponent(secret),
			new URLSearchParams({ _: secret }).toString().slice(2),
		])
			expect(output.includes(form), name).toBe(false);
	}
	// (control) the address as it came would have said it
	expect(new URL(`${app.url}/s/${link}`).pathname).toContain(link);
});
