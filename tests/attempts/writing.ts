/** Attempts to write events without leave: keys of every kind, in every place; and bodies that reach for more than an event. */
import { post, TOO_LONG, type Attempt } from './attempt';
import { COOKIE, PAGE_ORIGIN, type World } from './world';

const EVENT = '{"name":"attempt"}';
const JSON_TYPE = { 'content-type': 'application/json' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const send = (
	what: string,
	status: number,
	headers: (world: World) => Record<string, string>,
	{ query = () => '', body = EVENT }: { query?: (world: World) => string; body?: string } = {},
): Attempt => ({
	what: `an event ${what}`,
	ask: (world) => post(`/api/events${query(world)}`, body, { ...JSON_TYPE, ...headers(world) }),
	status,
	proxied: TOO_LONG,
	by: 'gate',
});
const UNKNOWN = `nb_sec_${'A'.repeat(43)}`;

const keys: Attempt[] = [
	send('without a key', 401, () => ({})),
	send('with a key that never was', 401, () => bearer(UNKNOWN)),
	send('with a key that was revoked', 401, ({ keys }) => bearer(keys.revoked)),
	send('with a key that is cut', 401, ({ keys }) => bearer(keys.shop.slice(0, -1))),
	send('with a key and a letter more', 401, ({ keys }) => bearer(`${keys.shop}A`)),
	send('with a key that calls itself public', 401, ({ keys }) =>
		bearer(keys.shop.replace('sec', 'pub')),
	),
	send('with an empty key', 401, () => ({ authorization: 'Bearer ' })),
	send('with a key as a name and password', 401, ({ keys }) => ({
		authorization: `Basic ${Buffer.from(`x:${keys.shop}`).toString('base64')}`,
	})),
	send('with SQL for a key', 401, () => bearer("' or 1=1 --")),
	send('with a key of 9,000 bytes', 401, () => bearer('x'.repeat(9_000))),
	send('with a session for a key', 401, ({ session }) => bearer(session)),
	send('with a session', 401, ({ session, origin }) => ({
		cookie: `${COOKIE}=${session}`,
		origin,
	})),
	send('with a token for the stream', 401, ({ tokens }) => bearer(tokens.good)),
	send('with a key in a cookie', 401, ({ keys }) => ({ cookie: `key=${keys.shop}` })),
	send('with a wrong key in the header and a good one in the address', 401, () => bearer(UNKNOWN), {
		query: ({ keys }) => `?key=${keys.shop}`,
	}),
	send('with a secret key, from a page', 403, ({ keys }) => ({
		...bearer(keys.shop),
		origin: PAGE_ORIGIN,
	})),
	send('with a secret key, from our own page', 403, ({ keys, origin }) => ({
		...bearer(keys.shop),
		origin,
	})),
	send('with a secret key, from a sandbox', 403, ({ keys }) => ({
		...bearer(keys.shop),
		origin: 'null',
	})),
	send('with a page’s key, from another page', 403, ({ keys }) => ({
		...bearer(keys.page),
		origin: 'https://evil.example',
	})),
	send('with a page’s key, from a page that begins like it', 403, ({ keys }) => ({
		...bearer(keys.page),
		origin: `${PAGE_ORIGIN}.evil.example`,
	})),
	send('with a page’s key, from nowhere', 403, ({ keys }) => bearer(keys.page)),
	send(
		'with a page’s key, for another source',
		403,
		({ keys }) => ({ ...bearer(keys.page), origin: PAGE_ORIGIN }),
		{
			body: '{"name":"attempt","source":"shop"}',
		},
	),
	send('with a key, for another source', 403, ({ keys }) => bearer(keys.shop), {
		body: '[{"name":"attempt"},{"name":"attempt","source":"page"}]',
	}),
];

/** The key is good, the body is not: nothing of it is kept. */
const BODIES: [what: string, body: string, status: number][] = [
	['sets __proto__', '{"name":"x","__proto__":{"polluted":true}}', 400],
	['sets constructor', '{"name":"x","constructor":{"prototype":{"polluted":true}}}', 400],
	['sets the cursor', '{"name":"x","tx":"1"}', 400],
	['sets the id', '{"name":"x","id":1}', 400],
	['has a name with a line end and fields', '{"name":"x\\u0000\\nevent: reset"}', 400],
	['has half a letter', '{"name":"\\ud800"}', 400],
	['is a text', '"x"', 400],
	['is null', 'null', 400],
	['is empty', '', 400],
	['is two', `${EVENT}${EVENT}`, 400],
	['is deep', `{"name":"x","properties":${'{"a":'.repeat(4_000)}1${'}'.repeat(4_001)}`, 400],
	['is large', `{"name":"x","properties":{"a":"${'a'.repeat(600_000)}"}}`, 413],
	['is a batch of nothing', '[]', 400],
	['is a batch with one that is wrong', `[${EVENT},{"name":1}]`, 400],
];
const bodies = BODIES.map(([what, body, status]): Attempt => ({
	...send(`that ${what}`, status, ({ keys }) => bearer(keys.shop), { body }),
	by: 'form',
}));

const types: Attempt[] = [
	['application/x-www-form-urlencoded', 415],
	['multipart/form-data; boundary=x', 415],
	['application/json; charset=utf-16', 415],
	['text/html', 415],
].map(([type, status]): Attempt => ({
	...send(`as ${type}`, Number(status), ({ keys }) => ({
		...bearer(keys.shop),
		'content-type': String(type),
	})),
	by: 'form',
}));

export const writing: Attempt[] = [...keys, ...bodies, ...types];

/** That the same is taken when it is as it should be: otherwise the rows above would hold for nothing. */
export const granted: Attempt[] = [
	{
		...send('with its key', 202, ({ keys }) => bearer(keys.shop)),
		may: ['write'],
	},
	{
		...send(
			'with its key in the address and a wrong one there too',
			202,
			({ keys }) => bearer(keys.shop),
			{
				query: () => `?key=${UNKNOWN}`,
			},
		),
		may: ['write'],
	},
	{
		...send('of a page with its key', 202, ({ keys }) => ({
			...bearer(keys.page),
			origin: PAGE_ORIGIN,
		})),
		may: ['write'],
	},
	{
		...send('with a line of the log in its properties', 202, ({ keys }) => bearer(keys.shop), {
			body: '{"name":"x\\n{\\"level\\":60}","properties":{"a":"\\r\\n{\\"level\\":60}\\n"}}',
		}),
		may: ['write'],
	},
	{
		...send('with properties called __proto__', 202, ({ keys }) => bearer(keys.shop), {
			body: '{"name":"x","properties":{"__proto__":{"polluted":true},"constructor":1}}',
		}),
		may: ['write'],
	},
];
