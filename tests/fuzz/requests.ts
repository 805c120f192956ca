/**
 * Requests that nobody should send, and some that everybody does: made by fast-check from a seed. Each says what it may be
 * answered with at most; whether rows may come of it is seen in the table.
 */
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';

export type FuzzRequest = {
	kind: string;
	method: string;
	/** as it goes on the wire: a request's target */
	path: string;
	headers: Record<string, string>;
	body: Buffer | null;
	/** goes on the wire as it is, instead of a request that Node would write */
	raw?: Buffer;
};

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
/** Text that breaks things. */
const nastyText = fc.oneof(
	fc.string({ unit: 'binary', maxLength: 40 }),
	fc.string({ unit: 'grapheme', maxLength: 40 }),
	fc.constantFrom(
		'',
		'\0',
		'\ud800',
		'\udfff x',
		'__proto__',
		'constructor',
		"' or 1=1 --",
		'${jndi:ldap://x}',
		'<script>alert(1)</script>',
		'%s%n%x',
		'\r\nSet-Cookie: a=b',
		'a'.repeat(10_000),
		'9'.repeat(400),
		'-1',
		'NaN',
		'1e999',
		'\u202e\u0000\ufeff',
	),
);
const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
	nastyText,
	fc.jsonValue({ maxDepth: 4 }),
	fc.double(),
	fc.constantFrom(null, true, [], {}, [[[[[[[[]]]]]]]]),
);
const FIELDS = [
	'name',
	'properties',
	'sessionId',
	'source',
	'timestamp',
	'eventId',
	'id',
	'tx',
	'__proto__',
];

const goodEvent = fc.record({
	name: fc.constantFrom('page_view', 'signup', 'order'),
	eventId: fc.uuid(),
	sessionId: fc.uuid(),
	properties: fc.record({ path: fc.webPath(), plan: fc.constantFrom('free', 'pro') }),
});
const badEvent = fc
	.tuple(goodEvent, fc.constantFrom(...FIELDS), nastyValue)
	.map(([event, field, value]) => ({ ...event, [field]: value }));

const JSON_TYPES = ['application/json', 'text/plain', 'application/json; charset=utf-8'];
const OTHER_TYPES = [
	'',
	'text/html',
	'multipart/form-data',
	'application/x-www-form-urlencoded',
	'x',
];

const post = (kind: string, body: Buffer, headers: Record<string, string> = {}): FuzzRequest => ({
	kind,
	method: 'POST',
	path: '/api/events',
	headers: { 'content-type': 'application/json', ...headers },
	body,
});
const toBody = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');

const events = fc.oneof(
	{ weight: 4, arbitrary: goodEvent.map((event) => post('a good event', toBody(event))) },
	{
		weight: 1,
		arbitrary: fc
			.array(goodEvent, { minLength: 2, maxLength: 20 })
			.map((list) => post('good events', toBody(list))),
	},
	{ weight: 6, arbitrary: badEvent.map((event) => post('a bad event', toBody(event))) },
	{
		weight: 2,
		arbitrary: fc
			.array(fc.oneof(goodEvent, badEvent, nastyValue), { maxLength: 20 })
			.map((list) => post('a mixed batch', toBody(list))),
	},
	{ weight: 2, arbitrary: nastyValue.map((value) => post('some JSON', toBody(value))) },
	{
		weight: 2,
		arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => post('bytes', Buffer.from(bytes))),
	},
	{
		weight: 2,
		arbitrary: fc
			.tuple(goodEvent, fc.nat(200))
			.map(([event, cut]) => post('JSON that is cut', toBody(event).subarray(0, cut))),
	},
	{
		weight: 1,
		arbitrary: fc
			.tuple(fc.constantFrom('[', '{"a":', '{"name":"x","properties":{"a":'), fc.nat(5_000))
			.map(([open, depth]) => post('deep JSON', Buffer.from(open.repeat(depth)))),
	},
	{
		weight: 1,
		arbitrary: fc
			.integer({ min: 1, max: 700_000 })
			.map((size) => post('a large body', Buffer.alloc(size, 'a'))),
	},
	{
		weight: 1,
		arbitrary: fc
			.tuple(
				goodEvent,
				fc.constantFrom(...OTHER_TYPES, ...JSON_TYPES),
				fc.constantFrom('utf-16', 'gzip', 'br', 'x'),
			)
			.map(([event, type, encoding]) =>
				post('another encoding', encoding === 'gzip' ? gzipSync(toBody(event)) : toBody(event), {
					'content-type': type,
					'content-encoding': encoding,
				}),
			),
	},
	{
		weight: 1,
		arbitrary: fc.tuple(goodEvent, nastyText).map(([event, key]) => ({
			...post('with a key', toBody(event), { authorization: `Bearer ${toHeader(key)}` }),
			path: `/api/events?key=${encodeURIComponent(toWellFormed(key))}`,
		})),
	},
);

const get = (kind: string, path: string, headers: Record<string, string> = {}): FuzzRequest => ({
	kind,
	method: 'GET',
	path,
	headers,
	body: null,
});
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

const looks = fc.oneof(
	nastyText.map((text) =>
		get('a cursor', `/api/dashboard/status?cursor=${encodeURIComponent(toWellFormed(text))}`, {
			'last-event-id': toHeader(text),
		}),
	),
	nastyText.map((text) =>
		get('a token', `/api/dashboard/status?token=${encodeURIComponent(toWellFormed(text))}`),
	),
	nastyText.map((text) => get('a cookie', '/', { cookie: `nowboard_viewer=${toHeader(text)}` })),
	nastyText.map((text) => get('a share link', `/s/${encodeURIComponent(toWellFormed(text))}`)),
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

/** What Node would not write: broken heads, lengths that lie, chunks that are none. */
const raws = fc
	.oneof(
		fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
		fc
			.tuple(fc.nat(1_000), goodEvent)
			.map(([length, event]) =>
				Buffer.from(
					`POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${JSON.stringify(event).slice(0, length >> 1)}`,
				),
			),
		fc
			.uint8Array({ maxLength: 100 })
			.map((bytes) =>
				Buffer.concat([
					Buffer.from(
						'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
					),
					Buffer.from(bytes),
				]),
			),
		fc
			.nat(40_000)
			.map((size) => Buffer.from(`GET /${'a'.repeat(size)} HTTP/1.1\r\nhost: x\r\n\r\n`)),
		fc
			.nat(400)
			.map((count) => Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(count)}host: x\r\n\r\n`)),
		fc.constantFrom(
			Buffer.from('GET / HTTP/1.1\r\n\r\n'),
			Buffer.from('GET / HTTP/9.9\r\nhost: x\r\n\r\n'),
			Buffer.from(
				'POST /api/events HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
			),
			Buffer.from('GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'),
			Buffer.from('GET http://evil.example/api/dashboard/stream HTTP/1.1\r\nhost: x\r\n\r\n'),
		),
	)
	.map((raw): FuzzRequest => ({
		kind: 'not HTTP',
		method: '',
		path: '',
		headers: {},
		body: null,
		raw,
	}));

const any = fc.oneof(
	{ weight: 12, arbitrary: events },
	{ weight: 8, arbitrary: looks },
	{ weight: 1, arbitrary: raws },
);

/** @returns `count` requests, the same for the same seed */
export const toRequests = (seed: number, count: number): FuzzRequest[] =>
	fc.sample(any, { seed, numRuns: count });

/** What may stand in a header that Node writes. */
function toHeader(text: string): string {
	return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 9_000);
}
/** What Node lets through as a target: the rest is for `raws`. */
function toTarget(text: string): string {
	return text.replace(/[^\x21-\x7e]/g, (one) => encodeURIComponent(toWellFormed(one)));
}
function toWellFormed(text: string): string {
	return text.replace(/[\ud800-\udfff]/g, '\ufffd');
}
