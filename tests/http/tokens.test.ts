/**
 * A client without cookies: native EventSource (undici's) and our store, against `node build`. It holds a
 * share link, and requests a token with it for each connection.
 */
import { EventSource } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/process/ports';
import type { StreamEvents } from '../../src/lib/protocol';
import { createTokens, TOKEN_MS } from '../../src/lib/server/access/tokens';
import { after, type Environment, type Source } from '../../src/lib/stores/environment';
import { createEventStream, type StreamState } from '../../src/lib/stores/event-stream';
import { PARSERS } from '../../src/lib/stores/parse';
import { NEEDS_LOGIN } from '../../src/lib/stores/status';
import { createTokenUrl } from '../../src/lib/stores/token-url';
import { COOKIE, createWorld, SECRET, WORLD_ENV } from '../attempts/world';
import { createAppServer } from '../setup/app-server';
import { useDatabase } from '../setup/instances';

/** Long enough to be told of an event with it. */
const SHORT_MS = 4_000;

/** What a program has of a browser: a clock, and EventSource. */
const environment: Environment = {
	openSource: (url) => new EventSource(url) as unknown as Source,
	window: new EventTarget(),
	document: Object.assign(new EventTarget(), { hidden: false }),
	isOnline: () => true,
	announce: () => {},
	now: Date.now,
	random: () => 0,
	after,
};

test('without a cookie it streams by tokens, comes back with a fresh one after the first has expired, and is told when there are none', async () => {
	const { url: databaseUrl, sql } = await useDatabase();
	const app = createAppServer(await freePort(), databaseUrl, WORLD_ENV);
	onTestFinished(() => app.kill('SIGTERM'));
	await app.start();
	const world = await createWorld(app.url, app.url, sql);

	let posted = 0;
	const withLink: typeof fetch = (url, init) => {
		posted++;
		const headers = { cookie: `${COOKIE}=${world.link}`, origin: app.url };
		return fetch(url, { ...init, headers: { ...init?.headers, ...headers } });
	};
	const toUrl = createTokenUrl({
		streamUrl: `${app.url}/api/dashboard/stream`,
		tokensUrl: `${app.url}/api/tokens`,
		fetch: withLink,
	});
	// as `POST /api/tokens` gave it almost five minutes ago
	const before = createTokens(async () => SECRET, {
		now: () => Date.now() - TOKEN_MS + SHORT_MS,
	});
	const { token } = await before.issue(world.link);
	const urls: string[] = [];
	const names: string[] = [];
	const states: StreamState[] = [];
	let resets = 0;
	const stream = createEventStream<StreamEvents>(
		async (cursor) => {
			const url = await toUrl(cursor);
			urls.push(urls.length === 0 ? url.replace(/token=[^&]*/, `token=${token}`) : url);
			return urls.at(-1) ?? '';
		},
		{
			parsers: PARSERS,
			onEvent: (...[name, payload]) => {
				if (name === 'reset') resets++;
				if (name === 'activity') names.push(...payload.events.map((event) => event.name));
			},
			environment,
		},
	);
	const leave = stream.subscribe((state) => states.push(state));
	onTestFinished(leave);

	await expect.poll(() => resets, { timeout: 60_000 }).toBe(1);
	await sql`insert into nowboard.events (name) values ('with the first token')`;
	await expect.poll(() => names).toEqual(['with the first token']);
	// over at its end, and not before: `bye`, no failure
	await expect.poll(() => states.at(-1)?.status, { timeout: 60_000 }).toBe('waiting');
	await sql`insert into nowboard.events (name) values ('between the two')`;
	await expect.poll(() => names.length, { timeout: 60_000 }).toBe(2);
	await sql`insert into nowboard.events (name) values ('with the second')`;
	await expect
		.poll(() => names)
		.toEqual(['with the first token', 'between the two', 'with the second']);
	expect([resets, urls.length, posted, new Set(urls).size]).toEqual([1, 2, 2, 2]);
	expect(Math.max(...states.map(({ attempt }) => attempt))).toBe(0);
	// the first has ended for all
	expect((await fetch(urls[0] ?? '')).status).toBe(401);

	await sql`update nowboard.share_links set revoked_at = now() where id = ${world.ids.link}`;
	await expect
		.poll(() => states.at(-1), { timeout: 60_000 })
		.toMatchObject({ status: 'waiting', lastError: NEEDS_LOGIN });
	expect(urls).toHaveLength(2);
	expect(app.output()).not.toContain(token);
}, 300_000);
