/** Requests of those who look, or would like to: paths, headers, methods, cookies, cursors, tokens and links. What is sent to forms: forms.ts. */
import fc from 'fast-check';
import { ROUTES } from '../../src/lib/server/access/policy';
import { get, post, type FuzzRequest } from './request';
import { nastyText, toHeader, toQuery, toTarget } from './texts';

const STREAM = '/api/dashboard/stream';
const OWN = { cookie: 'nowboard_viewer={session}' };
const OURS = { ...OWN, origin: '{origin}' };
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
/** Every route there is, so that a new one is not forgotten. */
export const PATHS: readonly string[] = [
	...Object.keys(ROUTES).map((id) => id.replace(/\[\w+\]/g, '')),
	'/_app/',
	'/__data.json',
];
/** Of those who may look; `/` and the like tell a lot, and take their time. */
const DASHBOARD = Object.entries(ROUTES).flatMap(([id, access]) =>
	access === 'dashboard' ? [id] : [],
);

/** Of the right form: 43 letters. */
export const noToken = fc
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
const range = fc.oneof(
	{ weight: 4, arbitrary: fc.constantFrom('30min', '24h', '7d', '90d') },
	nastyText,
);
const zone = fc.oneof(
	{
		weight: 2,
		arbitrary: fc.constantFrom(
			...['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Chatham', 'Asia/Kathmandu'],
			...[
				'Etc/GMT+12',
				'+25:00',
				'-00:30',
				'europe/berlin',
				'posix/UTC',
				'posixrules',
				'localtime',
			],
			...['Factory', 'right/UTC', 'EST5EDT', '<x>-1', '../UTC', "UTC' --"],
		),
	},
	{ weight: 1, arbitrary: nastyText },
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
		.tuple(range, fc.oneof(nastyText, fc.constant('')), zone)
		.map(([range, source, zone]) =>
			get(
				'history',
				`/api/dashboard/history?range=${toQuery(range)}&source=${toQuery(source)}&zone=${toQuery(zone)}`,
				OWN,
			),
		),
	fc
		.tuple(fc.constantFrom(...DASHBOARD), fc.constantFrom('', '/__data.json'), nastyText)
		.map(([path, data, text]) =>
			get('a page', `${path === '/' && data ? '' : path}${data}?source=${toQuery(text)}`, OWN),
		),
	fc.tuple(fc.constantFrom('{metrics}', ''), nastyText).map(([good, text]) =>
		get('the metrics', '/metrics', {
			authorization: `Bearer ${good || toHeader(text)}`,
			accept: toHeader(text),
		}),
	),
	fc
		.tuple(
			fc.constantFrom<Record<string, string>>(OURS, OWN, { origin: '{origin}' }),
			fc.oneof(nastyText, fc.constant('')),
		)
		.map(([headers, text]) => ({
			...post('asks for a token', Buffer.from(text), headers),
			path: '/api/tokens',
		})),
	token.map((text) => get('a token', `${STREAM}?token=${toQuery(text)}`)),
	fc
		.tuple(fc.oneof(nastyText, noToken), fc.constantFrom(...PATHS))
		.map(([text, path]) => get('a cookie', path, { cookie: `nowboard_viewer=${toHeader(text)}` })),
	fc.oneof(nastyText, noToken).map((text) => get('a share link', `/s/${toQuery(text)}`)),
	nastyText.map((to) => get('a good link', `/s/{link}?to=${toQuery(to)}`)),
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
);
