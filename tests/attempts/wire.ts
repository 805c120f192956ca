/** Attempts by the form of the request: paths that mean another one, headers that say who or where, heads that are two, and what forges lines. */
import { get, post, raw, TOO_LONG, type Attempt } from './attempt';
import { COOKIE, type World } from './world';

const STREAM = '/api/dashboard/stream';
const host = ({ origin }: World) => `host: ${new URL(origin).host}`;

/** A proxy may tidy up first (and then the gate refuses), or refuse by itself. */
const TIDIED = [303, 308, 400, 401, 403, 404, 405];

const PATHS: [path: string, status: number, by: Attempt['by']][] = [
	['//api/dashboard/stream', 404, 'form'],
	['/api//dashboard/stream', 404, 'form'],
	['/./api/dashboard/stream', 401, 'gate'],
	['/healthz/../api/dashboard/stream', 401, 'gate'],
	['/healthz/%2e%2e/api/dashboard/stream', 401, 'gate'],
	['/healthz/%2E%2E%2Fapi/dashboard/stream', 404, 'form'],
	['/healthz/..;/api/dashboard/stream', 404, 'form'],
	['/healthz;/../settings', 401, 'gate'],
	['/settings;x=1', 404, 'form'],
	['/settings/', 401, 'gate'],
	['/settings//', 404, 'form'],
	['/Settings', 404, 'form'],
	['/SETTINGS', 404, 'form'],
	['/settings%00', 404, 'form'],
	['/settings%20', 404, 'form'],
	['/settings%2f', 404, 'form'],
	['/settings.json', 404, 'form'],
	['/settings/__data.json/', 404, 'form'],
	['/%73ettings', 401, 'gate'],
	['/%2573ettings', 404, 'form'],
	['/settings?/revokeKey', 401, 'gate'],
	['/api%2fdashboard%2fstream', 404, 'form'],
	['/api\\dashboard\\stream', 401, 'gate'],
	['/api/dashboard/stream/', 401, 'gate'],
	['/api/dashboard/stream/__data.json', 401, 'gate'],
	['/api/events/__data.json', 404, 'form'],
	['/_app/../settings', 401, 'gate'],
	['/_app/remote/x/y', 401, 'gate'],
	['/_app/%2e%2e/%2e%2e/package.json', 404, 'form'],
	['/..%2f..%2f..%2fetc/passwd', 404, 'form'],
	['/%c0%ae%c0%ae/settings', 400, 'form'],
	['/index.html', 404, 'form'],
	['/.env', 404, 'form'],
	['/server/manifest.js', 404, 'form'],
];
const paths = PATHS.map(([path, status, by]): Attempt => ({
	what: `a path: ${path}`,
	ask: () => get(path),
	status,
	proxied: TIDIED,
	by,
}));

const FORGED: [name: string, value: string][] = [
	['x-original-url', '/healthz'],
	['x-rewrite-url', '/healthz'],
	['x-forwarded-host', 'evil.example'],
	['x-forwarded-proto', 'https'],
	['x-forwarded-for', '127.0.0.1'],
	['x-forwarded-prefix', '/healthz'],
	['forwarded', 'for=127.0.0.1;host=localhost'],
	['x-sveltekit-normalize', '1'],
	['x-http-method-override', 'OPTIONS'],
	['x-middleware-subrequest', 'src/hooks'],
	['authorization', 'Basic YWRtaW46YWRtaW4='],
	['upgrade', 'h2c'],
	['connection', 'close, cookie'],
	['range', 'bytes=0-10'],
	['accept', 'text/event-stream'],
	['origin', 'null'],
];
const forged = FORGED.map(([name, value]): Attempt => ({
	what: `a header: ${name}: ${value}`,
	ask: () => get(STREAM, { [name]: value }),
	status: 401,
	by: 'gate',
}));

const elsewhere: Attempt[] = [
	{
		what: 'a link of another host by x-forwarded-host',
		ask: ({ session, origin }) =>
			post('/settings?/share', 'name=x', {
				cookie: `${COOKIE}=${session}`,
				origin: 'https://evil.example',
				'x-forwarded-host': 'evil.example',
				'x-forwarded-proto': 'https',
				host: new URL(origin).host,
				'content-type': 'application/x-www-form-urlencoded',
			}),
		status: 403,
		by: 'gate',
	},
	{
		what: 'our own origin by another host',
		ask: ({ session }) =>
			post('/settings?/share', 'name=x', {
				cookie: `${COOKIE}=${session}`,
				origin: 'https://evil.example',
				host: 'evil.example',
				'content-type': 'application/x-www-form-urlencoded',
			}),
		status: 403,
		by: 'gate',
	},
	...['TRACE', 'TRACK', 'PROPFIND', 'PURGE', 'DEBUG'].map((method): Attempt => ({
		what: `${method} with a cookie`,
		ask: (world) =>
			raw([`${method} / HTTP/1.1`, host(world), `cookie: ${COOKIE}=${world.session}`]),
		status: method === 'TRACE' || method === 'TRACK' || method === 'DEBUG' ? 400 : 403,
		proxied: [400, 403, 405],
		by: 'form',
	})),
];

/** Heads that a proxy and a server could read in two ways, or that are none. */
const HEADS: [what: string, lines: (world: World) => string[], status: number, body?: string][] = [
	['two hosts', (w) => [`GET ${STREAM} HTTP/1.1`, host(w), 'host: evil.example'], 401],
	['no host', () => [`GET ${STREAM} HTTP/1.1`], 400],
	['a target with a host', (w) => [`GET http://evil.example${STREAM} HTTP/1.1`, host(w)], 400],
	['a target with our host', (w) => [`GET ${w.origin}${STREAM} HTTP/1.1`, host(w)], 400],
	['a target without a slash', (w) => [`GET api/dashboard/stream HTTP/1.1`, host(w)], 400],
	['CONNECT', (w) => [`CONNECT 127.0.0.1:5432 HTTP/1.1`, host(w)], 0],
	['HTTP/1.0', () => [`GET ${STREAM} HTTP/1.0`], 401],
	['HTTP/2 in clear', () => ['PRI * HTTP/2.0'], 400, 'SM\r\n\r\n'],
	['a line that is bare', (w) => [`GET ${STREAM} HTTP/1.1\nx: y`, host(w)], 400],
	['a folded header', (w) => [`GET ${STREAM} HTTP/1.1`, host(w), 'x: y', ' z: 1'], 400],
	['a blank before the colon', (w) => [`GET ${STREAM} HTTP/1.1`, host(w), 'x : y'], 400],
	['NUL in a header', (w) => [`GET ${STREAM} HTTP/1.1`, host(w), 'x: a\0b'], 400],
	[
		'a length and chunks',
		(w) => ['POST /healthz HTTP/1.1', host(w), 'content-length: 4', 'transfer-encoding: chunked'],
		400,
		`0\r\n\r\nGET ${STREAM} HTTP/1.1\r\nhost: x\r\n\r\n`,
	],
	[
		'chunks twice',
		(w) => [
			'POST /healthz HTTP/1.1',
			host(w),
			'transfer-encoding: chunked',
			'transfer-encoding: identity',
		],
		400,
		`0\r\n\r\nGET ${STREAM} HTTP/1.1\r\nhost: x\r\n\r\n`,
	],
	[
		'chunks in disguise',
		(w) => ['POST /healthz HTTP/1.1', host(w), 'transfer-encoding: xchunked'],
		400,
		'0\r\n\r\n',
	],
	[
		'two lengths',
		(w) => ['POST /healthz HTTP/1.1', host(w), 'content-length: 1', 'content-length: 0'],
		400,
		'x',
	],
	['a length below zero', (w) => ['POST /healthz HTTP/1.1', host(w), 'content-length: -1'], 400],
	[
		'20,000 bytes of header',
		(w) => [`GET ${STREAM} HTTP/1.1`, host(w), `x: ${'a'.repeat(20_000)}`],
		431,
	],
	['20,000 bytes of path', (w) => [`GET /${'a'.repeat(20_000)} HTTP/1.1`, host(w)], 431],
	[
		'a cookie of 20,000 bytes',
		(w) => [`GET ${STREAM} HTTP/1.1`, host(w), `cookie: ${COOKIE}=${'a'.repeat(20_000)}`],
		431,
	],
];
const heads = HEADS.map(([what, lines, status, body]): Attempt => ({
	what: `a head with ${what}`,
	ask: (world) => raw(lines(world), body),
	status,
	proxied: [0, 301, 400, 401, 404, 405, 413, 414, 426, 431, 501, 505],
	by: 'form',
}));

const CURSOR = '9'.repeat(9_000);
const asked = ({ session }: World) => ({ cookie: `${COOKIE}=${session}` });
const forgedLines: Attempt[] = [
	{
		what: 'a cursor of 9,000 bytes',
		ask: (w) => get(`${STREAM}?cursor=${CURSOR}`, asked(w)),
		status: 200,
		proxied: TOO_LONG,
		may: ['look'],
		by: 'form',
	},
	{
		what: 'a Last-Event-ID of 9,000 bytes',
		ask: (w) => get(STREAM, { ...asked(w), 'last-event-id': CURSOR }),
		status: 200,
		proxied: TOO_LONG,
		may: ['look'],
		by: 'form',
	},
	{
		what: 'a cursor of 9,000 bytes, without a cookie',
		ask: () => get(`${STREAM}?cursor=${CURSOR}`),
		status: 401,
		proxied: TOO_LONG,
		by: 'gate',
	},
	...['cursor', 'source', 'events', 'token'].map((name): Attempt => ({
		what: `line ends in ?${name}=`,
		ask: () => get(`${STREAM}?${name}=x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0aevent:%20reset`),
		status: 401,
		by: 'gate',
	})),
	{
		what: 'line ends in the way to the login',
		ask: () => get('/?x=%0d%0aSet-Cookie:%20a=b', { accept: 'text/html' }),
		status: 303,
		by: 'gate',
	},
	...['/%0a{"level":60}%0a', '/%0a{"level":60}%0a%', '/s/%0d%0a{"level":60}'].map(
		(path): Attempt => ({
			what: `a line of the log: ${path}`,
			ask: () => get(path),
			status: path.endsWith('%') ? 400 : 404,
			by: 'form',
		}),
	),
	{
		what: 'line ends in a header',
		ask: (w) =>
			raw([`GET ${STREAM} HTTP/1.1`, host(w), 'x: a\r\n\r\nGET /settings HTTP/1.1', 'host: x']),
		status: 401,
		by: 'form',
	},
];

export const wire: Attempt[] = [...paths, ...forged, ...elsewhere, ...heads, ...forgedLines];
