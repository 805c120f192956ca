/** Attempts to look without leave: no cookie, one that was good once, and tokens of every kind. */
import { ROUTES, TOKEN_ROUTES } from '../../src/lib/server/access/policy';
import { get, post, TOO_LONG, type Attempt } from './attempt';
import { COOKIE, METRICS_TOKEN, SECRET, type World } from './world';

const STREAM = '/api/dashboard/stream';
const STATUS = '/api/dashboard/status';
const HTML = { accept: 'text/html' };
const cookie = (token: string) => ({ cookie: `${COOKIE}=${token}` });
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Every route that needs permission, and what its page would load. New routes are included. */
const GUARDED = Object.entries(ROUTES)
	.filter(([, access]) => ['dashboard', 'whole', 'settings', 'metrics'].includes(access))
	.map(([id]) => id);
export const PROTECTED: readonly string[] = [
	...GUARDED,
	...GUARDED.map((id) => `${id === '/' ? '' : id}/__data.json`),
	'/__data.json?x-sveltekit-invalidated=11',
	'/settings/__data.json?x-sveltekit-invalidated=01',
	'/api/dashboard/history?range=30min&zone=UTC',
];
const FOR_SETTINGS = GUARDED.filter((id) => ROUTES[id] === 'settings');

const withoutCookie: Attempt[] = [
	...PROTECTED.map((path): Attempt => ({
		what: `no cookie: ${path}`,
		ask: () => get(path),
		status: 401,
		by: 'gate',
	})),
	...GUARDED.map((path): Attempt => ({
		what: `no cookie, in a browser: ${path}`,
		ask: () => get(path, HTML),
		// for the metrics one needs a token, and no login helps
		...(ROUTES[path] === 'metrics'
			? { status: 401 }
			: { status: 303, location: `/login?to=${encodeURIComponent(path)}` }),
		by: 'gate',
	})),
	...GUARDED.map((path): Attempt => ({
		what: `no cookie: HEAD ${path}`,
		ask: () => ({ ...get(path), method: 'HEAD' }),
		status: 401,
		by: 'gate',
	})),
];

const COOKIES: [what: string, value: (world: World) => string][] = [
	['of a session that never was', () => 'A'.repeat(43)],
	['of a session that expired', ({ ended }) => ended.expiredSession],
	['of a session that was logged out', ({ ended }) => ended.loggedOut],
	['of a link that expired', ({ ended }) => ended.expiredLink],
	['of a link that was revoked', ({ ended }) => ended.revokedLink],
	['with the hash that the table has', ({ sessionHash }) => sessionHash],
	['with a token for the stream', ({ tokens }) => tokens.good],
	['with an ingest key', ({ keys }) => keys.shop],
	['that is empty', () => ''],
	['that is cut', ({ session }) => session.slice(1)],
	['with one letter more', ({ session }) => `${session}A`],
	['in capitals', ({ session }) => session.toUpperCase()],
	['in quotes and a blank', ({ session }) => `" ${session}"`],
	['of SQL', () => "' or 1=1 --"],
	['of 9,000 bytes', () => 'x'.repeat(9_000)],
	['behind one that is wrong', ({ session }) => `x; ${COOKIE}=${session}`],
	['under another name', ({ session }) => `x; __Host-${COOKIE}=${session}`],
];
const withCookie = COOKIES.map(([what, value]): Attempt => ({
	what: `a cookie ${what}`,
	ask: (world) => get(STREAM, cookie(value(world))),
	status: 401,
	proxied: TOO_LONG,
	by: 'gate',
}));

const TOKENS: [what: string, value: (world: World) => string][] = [
	['that expired', ({ tokens }) => tokens.expired],
	['under another secret', ({ tokens }) => tokens.otherSecret],
	['of another scope', ({ tokens }) => tokens.otherScope],
	['of the hash that the table has, and with the right secret', ({ tokens }) => tokens.ofHash],
	['of a session that was logged out', ({ tokens }) => tokens.ofLoggedOut],
	['that is cut', ({ tokens }) => tokens.good.slice(0, -1)],
	['with a changed head', ({ tokens }) => tokens.good.replace(/^[^.]*/, base64({ alg: 'none' }))],
	[
		'without a signature',
		({ sessionHash }) =>
			`${base64({ alg: 'none' })}.${base64({ sub: sessionHash, scope: 'look', exp: 9e9 })}.`,
	],
	[
		'that is a password’s work to read',
		({ sessionHash }) =>
			`${base64({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2s: 'AAAA', p2c: 2e9 })}.${sessionHash}.AAAA.AAAA.AAAA`,
	],
	['that is a session’s', ({ session }) => session],
	['that is a link’s', ({ link }) => link],
	['that is the secret', () => encodeURIComponent(SECRET)],
	['that is an ingest key', ({ keys }) => keys.shop],
	['that is empty', () => ''],
	['of 9,000 bytes', () => 'a.'.repeat(4_500)],
	['given twice, the wrong one first', ({ tokens }) => `x&token=${tokens.good}`],
];
const withToken = TOKENS.map(([what, value]): Attempt => ({
	what: `a token ${what}`,
	ask: (world) => get(`${STREAM}?token=${value(world)}`),
	status: 401,
	proxied: TOO_LONG,
	by: 'gate',
}));

const astray: Attempt[] = [
	...PROTECTED.filter((path) => !TOKEN_ROUTES.some((id) => path.startsWith(id))).map(
		(path): Attempt => ({
			what: `a good token at ${path}`,
			ask: ({ tokens }) => get(`${path}${path.includes('?') ? '&' : '?'}token=${tokens.good}`),
			status: 401,
			by: 'gate',
		}),
	),
	{
		what: 'a good token, for another token',
		ask: ({ tokens, origin }) => post(`/api/tokens?token=${tokens.good}`, '', { origin }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a good token in a header',
		ask: ({ tokens }) => get(STREAM, { authorization: `Bearer ${tokens.good}` }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a wrong token beside a good cookie',
		ask: ({ session }) => get(`${STREAM}?token=x`, cookie(session)),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a session in a header',
		ask: ({ session }) => get(STREAM, { authorization: `Bearer ${session}` }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a key in a header, to look',
		ask: ({ keys }) => get(STREAM, { authorization: `Bearer ${keys.shop}` }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a key in the address, to look',
		ask: ({ keys }) => get(`${STATUS}?key=${keys.shop}`),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a key, for the settings',
		ask: ({ keys }) => get('/settings', { authorization: `Bearer ${keys.shop}` }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'the token of the metrics, to look',
		ask: () => get('/', { authorization: `Bearer ${METRICS_TOKEN}` }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'another token for the metrics',
		ask: () => get('/metrics', { authorization: `Bearer ${METRICS_TOKEN}x` }),
		status: 401,
		by: 'gate',
	},
	{
		what: 'a session, for the metrics',
		ask: ({ session }) => get('/metrics', cookie(session)),
		status: 401,
		by: 'gate',
	},
	...FOR_SETTINGS.flatMap((id) => [id, `${id}/__data.json`]).map((path): Attempt => ({
		what: `a share link at ${path}`,
		ask: ({ link }) => get(path, cookie(link)),
		status: 403,
		by: 'gate',
	})),
	{
		what: 'a share link makes another',
		ask: ({ link, origin }) =>
			post('/settings?/share', 'name=mine', {
				...cookie(link),
				origin,
				'content-type': 'application/x-www-form-urlencoded',
			}),
		status: 403,
		by: 'gate',
	},
];

const LINKS: [what: string, value: (world: World) => string][] = [
	['that was revoked', ({ ended }) => ended.revokedLink],
	['that expired', ({ ended }) => ended.expiredLink],
	['that is a session', ({ session }) => session],
	['that is a token for the stream', ({ tokens }) => tokens.good],
	['that is an ingest key', ({ keys }) => keys.shop],
	['that is a hash', ({ sessionHash }) => sessionHash],
	['with NUL behind it', ({ link }) => `${link}%00`],
];
const followed = LINKS.map(([what, value]): Attempt => ({
	what: `a share link ${what}`,
	ask: (world) => get(`/s/${value(world)}`),
	status: 404,
	proxied: [400],
	by: 'form',
}));

/** Secrets that neither answers nor the log may contain. */
const broken: Attempt = {
	what: 'a share link with a percent sign behind it',
	ask: ({ link }) => get(`/s/${link}%`),
	status: 400,
	by: 'form',
};

export const looking: Attempt[] = [
	broken,
	...withoutCookie,
	...withCookie,
	...withToken,
	...astray,
	...followed,
];
