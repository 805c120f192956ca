/** Attempts to change something by way of a browser that may: from pages of other sites, and by other methods. And ways out of the login. */
import { get, post, type Attempt } from './attempt';
import { COOKIE, PASSWORD, type World } from './world';

const FORM = 'application/x-www-form-urlencoded';
const own = ({ session }: World) => ({ cookie: `${COOKIE}=${session}` });

/** Every route that changes something, with a body that would do it. */
const CHANGES: [path: string, body: (world: World) => string, type: string][] = [
	['/login', () => `password=${encodeURIComponent(PASSWORD)}`, FORM],
	['/logout', () => '', FORM],
	['/logout', () => 'everywhere=true', FORM],
	['/api/tokens', () => '', 'application/json'],
	['/settings?/share', () => 'name=theirs&days=', FORM],
	['/settings?/unshare', ({ ids }) => `id=${ids.link}`, FORM],
	['/settings?/makeKey', () => 'kind=secret&source=theirs', FORM],
	['/settings?/revokeKey', ({ ids }) => `id=${ids.key}`, FORM],
	['/settings?/rotateKey', ({ ids }) => `id=${ids.key}`, FORM],
];
const ORIGINS: [what: string, value: (world: World) => string | null][] = [
	['another site', () => 'https://evil.example'],
	['nowhere', () => null],
	['a sandbox', () => 'null'],
	['a site that begins like ours', ({ origin }) => `${origin}.evil.example`],
	['another port', ({ origin }) => origin.replace(/:\d+$/, ':1')],
	[
		'the other scheme',
		({ origin }) => origin.replace(/^http(s?):/, (_, s) => (s ? 'http:' : 'https:')),
	],
	['a path of ours', ({ origin }) => `${origin}/`],
	['us and another', ({ origin }) => `${origin}, https://evil.example`],
	['nothing', () => ''],
];
const foreign = CHANGES.flatMap(([path, body, type]) =>
	ORIGINS.map(([from, value]): Attempt => ({
		what: `${path} ${body.toString().includes('everywhere') ? '(everywhere) ' : ''}from ${from}`,
		ask: (world) => {
			const origin = value(world);
			return post(path, body(world), {
				...own(world),
				'content-type': type,
				...(origin !== null && { origin }),
			});
		},
		status: 403,
		by: 'gate',
	})),
);

/** What a form of another site can send. It has the cookie where the browser does not know SameSite. */
const BOUNDARY = 'x-boundary';
const multipart = (name: string, value: string) =>
	`--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--${BOUNDARY}--\r\n`;
const FORMS: [type: string, body: string][] = [
	[FORM, 'name=theirs&days='],
	[`multipart/form-data; boundary=${BOUNDARY}`, multipart('name', 'theirs')],
	['text/plain', 'name=theirs'],
];
const forms = FORMS.map(([type, body]): Attempt => ({
	what: `a form of another site, ${type.split(';')[0]}`,
	ask: (world) =>
		post('/settings?/share', body, {
			...own(world),
			origin: 'https://evil.example',
			referer: `${world.origin}/settings`,
			'sec-fetch-site': 'cross-site',
			'x-sveltekit-action': 'true',
			'content-type': type,
		}),
	status: 403,
	by: type === 'text/plain' ? 'form' : 'gate',
}));

const methods: Attempt[] = [
	...['PUT', 'DELETE', 'PATCH'].flatMap((method) =>
		['/settings?/share', '/logout', '/api/tokens'].map((path): Attempt => ({
			what: `${method} ${path} from another site`,
			ask: (world) => ({
				...post(path, 'name=x', { ...own(world), 'content-type': FORM }),
				method,
			}),
			status: 403,
			by: 'form',
		})),
	),
	{
		what: 'a log-out by an image (GET)',
		ask: (world) => get('/logout', own(world)),
		status: 405,
		by: 'form',
	},
	{
		what: 'a link made by an image (GET)',
		ask: (world) => get('/settings?/share&name=theirs', own(world)),
		status: 200,
		by: 'form',
	},
	...['x-http-method-override', 'x-http-method', 'x-method-override'].map((name): Attempt => ({
		what: `a log-out by an image, with ${name}`,
		ask: (world) => get('/logout?_method=POST', { ...own(world), [name]: 'POST' }),
		status: 405,
		by: 'form',
	})),
	{
		what: 'a method override on ingest',
		ask: () => get('/api/events', { 'x-http-method-override': 'POST' }),
		status: 405,
		by: 'form',
	},
	{
		what: 'OPTIONS of another site asks for leave to log out',
		ask: () => ({
			...get('/logout', {
				origin: 'https://evil.example',
				'access-control-request-method': 'POST',
			}),
			method: 'OPTIONS',
		}),
		status: 405,
		by: 'form',
	},
	{
		what: 'a post where nothing is taken',
		ask: (world) => post('/', 'x=1', { ...own(world), origin: world.origin, 'content-type': FORM }),
		status: 405,
		by: 'form',
	},
	{
		what: 'a share link logs no one out',
		ask: ({ link, origin }) =>
			post('/logout', 'everywhere=true', {
				cookie: `${COOKIE}=${link}`,
				origin,
				'content-type': FORM,
			}),
		status: 303,
		may: ['enter'],
		by: 'gate',
	},
];

/** Malformed requests by authorized clients: refused, and no error of the server. */
const BROKEN: [what: string, type: string, body: string, status: number][] = [
	['in parts, without a boundary', 'multipart/form-data', 'name=x', 400],
	['that is cut', `multipart/form-data; boundary=${BOUNDARY}`, `--${BOUNDARY}\r\ncontent`, 400],
	['with NUL in a name', FORM, 'name=a%00b', 400],
	['of 400,000 bytes', FORM, `name=${'a'.repeat(400_000)}`, 400],
	['that is JSON', 'application/json', '{"name":"x"}', 415],
];
const broken = BROKEN.map(([what, type, body, status]): Attempt => ({
	what: `a form ${what}`,
	ask: (world) =>
		post('/settings?/share', body, {
			...own(world),
			origin: world.origin,
			accept: 'text/html',
			'content-type': type,
		}),
	status,
	by: 'form',
}));

const ELSEWHERE = [
	'//evil.example',
	'/\\evil.example',
	'https://evil.example',
	'javascript:alert(1)',
	'/%09/evil.example',
	'/%0d%0aSet-Cookie:%20a=b',
	'%2f%2fevil.example',
	'@evil.example',
];
const redirects = ELSEWHERE.map((to): Attempt => ({
	what: `a way out: ?to=${to}`,
	ask: ({ link }) => get(`/s/${link}?to=${to}`),
	status: 303,
	may: ['enter'],
	location: '/',
	by: 'form',
}));

export const changing: Attempt[] = [
	...foreign,
	...forms,
	...methods,
	...broken,
	...redirects,
	{
		what: 'a way out of the login: ?to=//evil.example',
		ask: ({ origin }) =>
			post('/login?to=//evil.example', `password=${encodeURIComponent(PASSWORD)}`, {
				origin,
				accept: 'text/html',
				'content-type': FORM,
			}),
		status: 303,
		may: ['enter', 'write'],
		location: '/',
		by: 'form',
	},
];
