import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from './server';

test('a stream is readable at once with curl: delay, comment, state, then what happens', async ({
	server,
}) => {
	const closing = new AbortController();
	const response = await fetch(`${server.url}/api/dashboard/stream`, { signal: closing.signal });
	expect(response.status).toBe(200);
	expect(Object.fromEntries(response.headers)).toMatchObject({
		'content-type': 'text/event-stream',
		'cache-control': 'no-store, no-transform',
		'x-accel-buffering': 'no',
	});
	const reader = response.body?.getReader();
	const decoder = new TextDecoder();
	let text = '';
	const until = async (part: string) => {
		while (!text.includes(part)) text += decoder.decode((await reader?.read())?.value);
	};
	await until('event: reset');
	expect(text).toMatch(
		/^retry: 2000\n: nowboard\n\nevent: ping\ndata: \{.*\}\n\nevent: reset\nid: /,
	);
	await server.sql`insert into nowboard.events (name) values ('seen')`;
	await until('"name":"seen"');
	closing.abort();
});

test('HEAD on the stream answers and subscribes no client', async ({ server }) => {
	const response = await fetch(`${server.url}/api/dashboard/stream`, { method: 'HEAD' });
	expect([response.status, response.headers.get('content-type')]).toEqual([
		200,
		'text/event-stream',
	]);
});

test('frames can be left out; an unknown name is refused', async ({ server }) => {
	const refused = await fetch(`${server.url}/api/dashboard/stream?events=activity,clicks`);
	expect([refused.status, await refused.json()]).toEqual([
		400,
		{ message: 'events: "clicks" is none of activity, metrics, presence.' },
	]);
});

test('a beacon from a page of another origin is taken; a change of the demo from there is not', async ({
	page,
	server,
}) => {
	const elsewhere = createServer((_, response) => {
		response.setHeader('content-type', 'text/html').end('<h1>Elsewhere</h1>');
	}).listen(0, '127.0.0.1');
	await once(elsewhere, 'listening');
	const origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
	await page.goto(origin);
	const sent = await page.evaluate(
		(url) => navigator.sendBeacon(url, JSON.stringify({ name: 'page_view', sessionId: 'x' })),
		`${server.url}/api/events`,
	);
	expect(sent).toBe(true);
	await expect
		.poll(async () => (await server.sql`select name from nowboard.events`).map((row) => row.name))
		.toEqual(['page_view']);
	const changed = await fetch(`${server.url}/api/demo`, {
		method: 'POST',
		headers: { 'content-type': 'text/plain', origin },
		body: '{"running":false}',
	});
	expect(changed.status).toBe(403);
	elsewhere.close();
	elsewhere.closeAllConnections();
});

test('a body that is too large, of no type, or no JSON is refused with a reason', async ({
	server,
}) => {
	const ask = async (body: string, type?: string) => {
		const headers = new Headers(type === undefined ? [] : [['content-type', type]]);
		const response = await fetch(`${server.url}/api/events`, {
			method: 'POST',
			headers,
			body: new TextEncoder().encode(body),
		});
		return [response.status, typeof ((await response.json()) as { error: unknown }).error];
	};
	expect(await ask('{"name":"x"}')).toEqual([415, 'string']);
	expect(await ask('{', 'application/json')).toEqual([400, 'string']);
	expect(await ask('', 'application/json')).toEqual([400, 'string']);
	expect(await ask(`"${'x'.repeat(6_000_000)}"`, 'application/json')).toEqual([413, 'string']);
	expect(await server.sql`select 1 from nowboard.events`).toHaveLength(0);
});

test('/healthz and /readyz answer', async ({ server }) => {
	expect(await (await fetch(`${server.url}/healthz`)).text()).toBe('ok\n');
	expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({
		ready: true,
		missing: [],
		listener: 'up',
		reading: null,
		writing: null,
		clock: expect.stringMatching(/Z$/),
	});
});

test('settings without a password are not there, in a browser too: no login leads in a circle', async ({
	server,
}) => {
	const headers = { accept: 'text/html' };
	const answer = await fetch(`${server.url}/settings`, { headers, redirect: 'manual' });
	expect([answer.status, answer.headers.get('location')]).toEqual([404, null]);
});

test('the page of components is not part of a production build', async ({ server }) => {
	expect((await fetch(`${server.url}/design`)).status).toBe(404);
});

test.describe('without a database to use', () => {
	for (const [name, env, says] of [
		['not named', { DATABASE_URL: '' }, /^DATABASE_URL is not set: .*npm run demo/],
		['no one may view', { DASHBOARD_PUBLIC: '' }, /^DATABASE_URL is not set[^]*DASHBOARD_PASSWORD/],
		['no Postgres', { DATABASE_URL: 'mysql://x' }, /^DATABASE_URL begins with "mysql:\/\/"/],
	] as const)
		test(`${name}: the server exits and says what to do`, async () => {
			const server = spawn(process.execPath, ['build'], {
				env: { ...process.env, ...env, PORT: '0' },
			});
			let output = '';
			server.stderr.on('data', (chunk: Buffer) => (output += chunk));
			const [code] = (await once(server, 'exit')) as [number];
			expect(code).toBe(1);
			expect(output).toMatch(says);
		});
});

test.describe('a server that takes no events', () => {
	test.use({ env: { INGEST_OPEN: 'false' } });

	test('says what to set', async ({ server }) => {
		const sent = await fetch(`${server.url}/api/events`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: '{"name":"x"}',
		});
		expect([sent.status, await sent.text()]).toEqual([401, expect.stringContaining('INGEST_OPEN')]);
	});
});
