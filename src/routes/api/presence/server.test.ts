/** POST /api/presence on a real Postgres; what it shares with POST /api/events is tested there. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createContextReader } from '$lib/server/ingest/context';
import { createBodyBudget } from '$lib/server/http/body-budget';
import { connect } from '$lib/server/db/connect';
import { createKey } from '$lib/server/keys/key-store';
import { createKeyCheck, type KeyCheck } from '$lib/server/keys/key-check';
import { createIngestLimits } from '$lib/server/ingest/rate-limits';
import { createOwnVisits } from '$lib/server/ignored/own-visits';
import { createRobots } from '$lib/server/ignored/robots';
import { createRejections, type Rejections } from '$lib/server/ingest/rejections';
import { createVisitorIds } from '$lib/server/ingest/visitor-salt';
import { startPresence } from '$lib/server/presence/presence';
import { createDatabase, type TestDatabase } from '../../../../tests/setup/database';
import { POST } from './+server';

const QUIET = { info: () => {}, warn: () => {} };
let database: TestDatabase;
let keys: KeyCheck;
let rejections: Rejections;
let publicKey: string;
let secretKey: string;

beforeAll(async () => {
	database = await createDatabase();
	const client = () => connect(database.url, { max: 1 });
	keys = createKeyCheck({ connect: client, log: QUIET });
	const key = { source: 'shop', name: 'shop' };
	const origins = ['https://shop.example'];
	publicKey = (await createKey(database.sql, { ...key, kind: 'public', origins }, 'command')).key;
	secretKey = (await createKey(database.sql, { ...key, kind: 'secret', origins: [] }, 'command'))
		.key;
});
beforeEach(() => void (rejections = createRejections()));
afterAll(async () => {
	await keys.close();
	await database.drop();
});

type Options = { key?: string; headers?: Record<string, string>; off?: boolean; limit?: number };

/** Answers after what was taken is in the table. */
async function post(
	body: unknown,
	{ key = '', headers = {}, off = false, limit = 600 }: Options = {},
) {
	const presence = startPresence({ connect: () => connect(database.url, { max: 1 }), log: QUIET });
	const limits = createIngestLimits({ pageEvents: limit });
	const locals = {
		bodies: createBodyBudget(),
		context: createContextReader({ countries: () => 'DE', countryHeader: null }),
		ingestOpen: key === '',
		keys,
		presence: off ? null : { hear: presence.hear, limits },
		rejections,
		ownVisits: createOwnVisits({ users: ['team'] }),
		robots: createRobots(),
		visitors: createVisitorIds(database.sql),
	};
	const url = new URL(`http://localhost/api/presence${key === '' ? '' : `?key=${key}`}`);
	const request = new Request(url, {
		method: 'POST',
		headers: { 'content-type': 'text/plain', ...headers },
		body: JSON.stringify(body),
	});
	const set: Record<string, string> = {};
	const event = {
		...{ request, url, locals, getClientAddress: () => '192.0.2.1' },
		setHeaders: (given: Record<string, string>) => void Object.assign(set, given),
	};
	const response = await POST(event as unknown as Parameters<typeof POST>[0]);
	await presence.stop();
	return {
		status: response.status,
		cors: set['access-control-allow-origin'],
		body: await response.json(),
	};
}

const PAGE = {
	origin: 'https://shop.example',
	'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
};

test('a page says who is here, with what the request says of them, and it is no event', async () => {
	const state = {
		sessionId: 'a',
		path: '/pricing/',
		url: 'https://www.shop.example/pricing/',
		referrer: 'https://www.google.com/search',
		utm_campaign: 'spring',
	};
	expect(await post(state, { key: publicKey, headers: PAGE })).toEqual({
		status: 202,
		cors: '*',
		body: { accepted: 1 },
	});
	// the next page does not say again where the visit came from
	await post(
		{ sessionId: 'a', path: '/signup', input: Date.now() - 12_000 },
		{ key: publicKey, headers: PAGE },
	);
	const rows = await database.sql`
		select source, session_id, path, origin, context, visible, left_at, input_at is null as idle from nowboard.presence`;
	expect(rows).toEqual([
		{
			source: 'shop',
			session_id: 'a',
			path: '/signup',
			origin: { referrer: 'google.com', channel: 'search', utm_campaign: 'spring' },
			context: { country: 'DE', browser: 'Firefox', device: 'desktop', os: 'Linux' },
			visible: true,
			left_at: null,
			idle: false,
		},
	]);
	expect(await database.sql`select from nowboard.events`).toHaveLength(0);
});

test('a visitor without a session gets one for the day; one who objects, and a server, must name it', async () => {
	const rule = expect.stringMatching(/^is required: /) as string;
	const missing = {
		status: 400,
		body: { error: expect.any(String) as string, details: [{ path: 'sessionId', rule }] },
	};
	const gpc = { ...PAGE, 'sec-gpc': '1' };
	expect(await post({ path: '/' }, { key: publicKey, headers: PAGE })).toMatchObject({
		status: 202,
	});
	expect(await post({ path: '/' }, { key: publicKey, headers: gpc })).toMatchObject(missing);
	expect(await post({ path: '/' }, { key: secretKey })).toMatchObject(missing);
	expect(await database.sql`select from nowboard.presence where session_id ~ '^day-'`).toHaveLength(
		1,
	);
});

describe('what is wrong is named, with its value and the rule', () => {
	test.each([
		['text', {}, '(session)', 'must be an object'],
		[{ sessionId: 7 }, {}, 'sessionId', 'must be a text'],
		[{ sessionId: 'a', state: 'away' }, {}, 'state', 'must be one of visible, hidden, gone'],
		[{ sessionId: 'a', input: -1 }, {}, 'input', /milliseconds since 1970/],
		[{ sessionId: 'a', path: 'x'.repeat(8_001) }, {}, 'path', 'must have 1 to 8000 characters'],
		[
			{ sessionId: 'a', url: 'a\0' },
			{},
			'url',
			'must not contain NUL (\\u0000), which Postgres cannot store',
		],
		[{ sessionId: 'a', name: 'x' }, {}, 'name', /^is not a field of presence; these are: /],
		[{ sessionId: 'a', timestamp: 'now' }, {}, 'timestamp', /ISO 8601/],
		[{ sessionId: 'a', slash: 1 }, {}, 'slash', 'must be true or false'],
		[[], {}, '(body)', 'must be one session or an array of 1 to 500'],
		[[{ sessionId: 'a' }, { sessionId: '' }], {}, 'sessionId', 'must have 1 to 200 characters'],
		[
			{ sessionId: 'a', source: 'x' },
			{ key: 'secret' },
			'source',
			/^must be left out or be "shop"/,
		],
		[
			{ sessionId: 'a', context: {} },
			{ key: 'public', headers: PAGE },
			'context',
			/secret key only/,
		],
	] as const)('%j %j', async (body, { key, headers }: Options, path, rule) => {
		const given = key === 'secret' ? secretKey : key === 'public' ? publicKey : '';
		const { status, body: answer } = await post(body, { key: given, headers: { ...headers } });
		const [detail] = (answer as { details: { path: string; rule: string }[] }).details;
		expect([400, 403]).toContain(status);
		expect(detail?.path).toBe(path);
		expect(detail?.rule).toMatch(rule);
	});
});

test('keys, origins and limits are those of events, robots are ignored, and PRESENCE=false says so', async () => {
	const one = { sessionId: 'b' };
	const from = (headers: Record<string, string>, more: Options = {}) =>
		post(one, { key: publicKey, headers: { ...PAGE, ...headers }, ...more });
	expect(await post(one, { key: 'nb_pub_wrong' })).toMatchObject({ status: 401 });
	expect(await from({ origin: 'https://other.example' })).toMatchObject({ status: 403 });
	expect(await from({ 'user-agent': 'Googlebot/2.1' })).toMatchObject({ body: { ignored: 'bot' } });
	expect(await post({ ...one, userId: 'team' }, { key: publicKey, headers: PAGE })).toMatchObject({
		body: { accepted: 0, ignored: 'excluded_user' },
	});
	expect(await from({}, { limit: 0 })).toMatchObject({ status: 429 });
	expect(await from({ 'content-type': 'text/html' })).toMatchObject({ status: 415 });
	expect(
		rejections
			.list()
			.map(({ reason }) => reason)
			.sort(),
	).toEqual(
		['bot', 'excluded_user', 'limited', 'origin', 'unsupported', 'wrong_key'], // prettier-ignore
	);
	expect(await from({}, { off: true })).toEqual({
		status: 202,
		cors: '*',
		body: { accepted: 0, ignored: expect.stringContaining('PRESENCE=false') as string },
	});
	expect(await database.sql`select from nowboard.presence where session_id = 'b'`).toHaveLength(0);
});
