/**
 * What the web-platform tests say that concerns a server, as facts for ours: a request → what is answered. Run against
 * `node build` (tests/e2e/wire.spec.ts). A request is for the stream unless it says otherwise.
 */

export type ServerRow = {
	wpt: string;
	fact: string;
	/** `%cursor%` is the position of a stream that was opened before */
	query?: string;
	method?: string;
	headers?: Record<string, string>;
	status?: number;
	/** null: no such header */
	answers?: Record<string, string | null>;
	/** how the body begins; read until it does */
	begins?: RegExp;
};

const RESET =
	/^retry: \d+\n: nowboard\n\nevent: ping\ndata: .*\n\nevent: reset\nid: [0-9a-z]+-[0-9a-z.]+\ndata: /;
/** Where nothing was missed, the first tick follows the first ping. */
const RESUMED = /^retry: \d+\n: nowboard\n\nevent: ping\ndata: .*\n\nevent: metrics\ndata: /;

/** What no client of ours sends as a position, and anybody may. */
const JUNK = ['x', 'é', '-', '.', '%00', '%0d%0aset-cookie: a', '<script>', '0'.repeat(5_000)];

export const SERVER: ServerRow[] = [
	...['text/event-stream', '*/*', 'application/json'].map((accept): ServerRow => ({
		wpt: 'request-accept',
		fact: `Accept: ${accept} is answered with a stream`,
		headers: { accept },
		answers: { 'content-type': 'text/event-stream' },
		begins: RESET,
	})),
	{
		wpt: 'request-cache-control',
		fact: 'nothing may be kept or changed on the way, buffered or encoded',
		headers: { 'cache-control': 'no-cache', 'accept-encoding': 'gzip, br' },
		answers: {
			'cache-control': 'no-store, no-transform',
			'x-accel-buffering': 'no',
			'content-encoding': null,
			'content-length': null,
			etag: null,
		},
	},
	{
		wpt: 'request-credentials',
		fact: 'cookies change nothing, and none are set',
		headers: { cookie: 'a=b' },
		answers: { 'set-cookie': null },
		begins: RESET,
	},
	...[
		'format-mime-bogus',
		'format-mime-valid-bogus',
		'format-mime-trailing-semicolon',
		'format-utf-8',
	].map((wpt): ServerRow => ({
		wpt,
		fact: 'the content type is exactly text/event-stream, without a charset',
		answers: { 'content-type': 'text/event-stream' },
	})),
	...['format-bom', 'format-bom-2', 'format-field-retry', 'format-field-retry-bogus'].map(
		(wpt): ServerRow => ({
			wpt,
			fact: 'the first bytes are a retry in digits: no byte order mark, nothing else before it',
			begins: /^retry: 2000\n: nowboard\n\n/,
		}),
	),
	{
		wpt: 'format-field-id',
		fact: 'Last-Event-ID resumes',
		headers: { 'last-event-id': '%cursor%' },
		begins: RESUMED,
	},
	{ wpt: 'format-field-id', fact: 'so does the query', query: '?cursor=%cursor%', begins: RESUMED },
	{
		wpt: 'format-field-id',
		fact: 'the header wins over the query',
		query: '?cursor=elsewhere-1',
		headers: { 'last-event-id': '%cursor%' },
		begins: RESUMED,
	},
	{
		wpt: 'format-field-id-3',
		fact: 'an empty position asks for everything',
		query: '?cursor=',
		headers: { 'last-event-id': '' },
		begins: RESET,
	},
	...JUNK.map((junk): ServerRow => ({
		wpt: 'format-field-id-null',
		fact: `a position that is none, ${junk.slice(0, 20)}, gets everything`,
		query: `?cursor=${junk}`,
		begins: RESET,
	})),
	{
		wpt: 'eventsource-cross-origin',
		fact: 'no page of another origin may read the stream',
		headers: { origin: 'http://elsewhere.example' },
		answers: {
			'access-control-allow-origin': null,
			'access-control-allow-credentials': null,
		},
	},
	{
		wpt: 'eventsource-cross-origin-preflight',
		fact: 'nor is one allowed to send a position',
		method: 'OPTIONS',
		headers: {
			origin: 'http://elsewhere.example',
			'access-control-request-method': 'GET',
			'access-control-request-headers': 'last-event-id',
		},
		status: 405,
		answers: { 'access-control-allow-origin': null, 'access-control-allow-headers': null },
	},
	{
		wpt: 'request-redirect',
		fact: 'a slash too many is led to the right address, with the position',
		query: '/?cursor=%cursor%',
		begins: RESUMED,
	},
	{
		wpt: 'request-status-error',
		fact: 'a wrong question is refused with a status and a reason, not with a stream',
		query: '?events=clicks',
		status: 400,
		answers: { 'content-type': 'application/json' },
		begins: /^\{"message":"events: /,
	},
	{
		wpt: 'request-status-error',
		fact: 'a stream is not posted to',
		method: 'POST',
		headers: { origin: '%self%' },
		status: 405,
	},
	{
		wpt: 'eventsource-close',
		fact: 'HEAD answers as GET would, and opens nothing',
		method: 'HEAD',
		answers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' },
	},
];
