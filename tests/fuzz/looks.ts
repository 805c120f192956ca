/** Requests of those who look, or would like to: paths, headers, methods, cookies, cursors, tokens, links and forms. */
import fc from 'fast-check';
import { get, post, type FuzzRequest } from './request';
import { nastyText, toHeader, toTarget, toWellFormed } from './texts';

const STREAM = '/api/dashboard/stream';
const OWN = { cookie: 'nowboard_viewer={session}' };
const FORM = 'application/x-www-form-urlencoded';
const SEPARATORS = [
	'',
	' ',
	'\t',
	'\r',
	'\n',
	'\0',
	'%00',
	'../',
	'..%2f',
	'//',
	'\\',
	';',
	'?',
	'#',
];
const PATHS = [
	'/',
	'/api/dashboard/status',
	'/api/events',
	'/healthz',
	'/t.js',
	'/login',
	'/kiosk',
	'/settings',
	'/s/',
	'/_app/',
	'/api/tokens',
];

const toQuery = (text: string) => encodeURIComponent(toWellFormed(text));
/** Of the right form: 43 letters. */
const noToken = fc
	.uint8Array({ minLength: 32, maxLength: 32 })
	.map((bytes) => Buffer.from(bytes).toString('base64url'));
const number = fc.oneof(
	fc.nat().map((one) => one.toString(36)),
	fc.constantFrom('', '0', '00', '-1', 'zzzzzzzzzzzzz', '9'.repeat(300), 'A', 'é'),
);
/** Of this server's history as it were, with any numbers. */
const cursor = fc.oneof(
	nastyText,
	fc
		.tuple(fc.constantFrom('{epoch}', 'x', ''), number, fc.array(number, { maxLength: 300 }))
		.map(([epoch, last, holes]) => `${epoch}-${[last, ...holes].join('.')}`),
);
/** A good one, with something changed or cut. */
const token = fc.oneof(
	nastyText,
	noToken,
	fc.nat(200).map((at) => `{token:${at}}`),
);

export const looks: fc.Arbitrary<FuzzRequest> = fc.oneof(
	fc
		.tuple(cursor, fc.boolean())
		.map(([text, inHeader]) =>
			inHeader
				? get('a cursor', STREAM, { ...OWN, 'last-event-id': toHeader(text) })
				: get('a cursor', `${STREAM}?cursor=${toQuery(text)}`, OWN),
		),
	fc
		.tuple(fc.constantFrom('source', 'events', 'cursor', 'x'), nastyText)
		.map(([name, text]) => get('a query', `${STREAM}?${name}=${toQuery(text)}`, OWN)),
	fc
		.tuple(fc.constantFrom('/', '/kiosk', '/__data.json'), nastyText)
		.map(([path, text]) => get('a page', `${path}?source=${toQuery(text)}`, OWN)),
	token.map((text) => get('a token', `${STREAM}?token=${toQuery(text)}`)),
	fc
		.oneof(nastyText, noToken)
		.map((text) => get('a cookie', STREAM, { cookie: `nowboard_viewer=${toHeader(text)}` })),
	fc.oneof(nastyText, noToken).map((text) => get('a share link', `/s/${toQuery(text)}`)),
	fc
		.tuple(fc.constantFrom(...PATHS), fc.constantFrom(...SEPARATORS), nastyText)
		.map(([path, separator, text]) => get('a path', toTarget(`${path}${separator}${text}`))),
	fc
		.tuple(
			fc.constantFrom(
				'origin',
				'host',
				'x-forwarded-for',
				'x-forwarded-host',
				'accept',
				'accept-language',
				'range',
				'if-none-match',
				'referer',
				'user-agent',
				'x-sveltekit-action',
				'content-type',
			),
			nastyText,
			fc.constantFrom(...PATHS),
		)
		.map(([name, text, path]) => get('a header', path, { [name]: toHeader(text) })),
	fc
		.tuple(
			fc.constantFrom('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'POST'),
			fc.constantFrom(...PATHS),
		)
		.map(([method, path]) => ({ ...get('a method', path), method })),
	fc
		.tuple(
			nastyText,
			fc.constantFrom('/login', '/logout', '/api/demo', '/api/tokens', '/settings?/share'),
		)
		.map(([text, path]) => ({
			...post('a form', Buffer.from(`password=${toWellFormed(text)}&name=${toWellFormed(text)}`), {
				'content-type': 'application/x-www-form-urlencoded',
			}),
			path,
		})),
);

/** Forms from our own pages: of somebody who may, and who sends what no page of ours does. */
export const forms: fc.Arbitrary<FuzzRequest> = fc
	.tuple(
		fc.constantFrom(
			'/settings?/share',
			'/settings?/unshare',
			'/settings?/revoke',
			'/settings?/makeKey',
			'/settings?/revokeKey',
			'/settings?/x',
			'/settings',
			'/api/tokens',
			'/api/demo',
			'/s/x',
			'/kiosk',
		),
		fc.constantFrom('name', 'id', 'days', 'kind', 'source', 'origins', 'password', '__proto__'),
		nastyText,
		fc.constantFrom(
			FORM,
			'multipart/form-data',
			'multipart/form-data; boundary=x',
			'text/plain',
			'x',
		),
		fc.constantFrom('application/json', 'text/html'),
	)
	.map(([path, name, text, type, accept]) => ({
		...post(
			'a form of ours',
			Buffer.from(
				type.endsWith('boundary=x')
					? `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n--x--\r\n`
					: `name=a&${name}=${toQuery(text)}`,
			),
			{ ...OWN, origin: '{origin}', 'content-type': type, accept },
		),
		path,
	}));

/** Rare: each wrong one takes its time. */
export const logins: fc.Arbitrary<FuzzRequest> = fc
	.tuple(nastyText, fc.constantFrom(FORM, 'multipart/form-data', 'text/plain'))
	.map(([text, type]) => ({
		...post('a login', Buffer.from(`password=${toQuery(text)}`), {
			origin: '{origin}',
			'content-type': type,
		}),
		path: '/login',
	}));
