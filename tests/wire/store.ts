/**
 * What the web-platform tests say about the life of a connection, as facts for our store: what the server answers, one answer
 * for each request → what it is asked and what the page gets. Run in a real Chromium (chromium.test.ts).
 */
import type { Answer } from './scripted-server';

export type StoreRow = {
	wpt: string;
	fact: string;
	answers: Answer[];
	/** the queries of all requests, in order */
	asked: string[];
	words: string[];
	/** most failures in a row */
	attempts?: number;
	/** where a native EventSource would have stopped for good instead */
	nativeStops?: true;
	/** the watchdog's time is a fiftieth too */
	hurriesWatchdog?: true;
};

/** Stands for an address of another origin, which permits nothing. */
export const ELSEWHERE = '%elsewhere%';

const word = (text: string, id?: string) =>
	`event: word\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(text)}\n\n`;
const before: Answer = { body: word('before', 'e-1'), then: 'cut' };
const after: Answer = { body: word('after', 'e-2'), then: 'stay' };

/** The second connection fails, the third brings what was missed. */
const failing = (wpt: string, fact: string, answer: Answer, nativeStops?: true): StoreRow => ({
	wpt,
	fact,
	answers: [before, answer, after],
	asked: ['', '?cursor=e-1', '?cursor=e-1'],
	words: ['before', 'after'],
	attempts: 2,
	...(nativeStops && { nativeStops }),
});
const stopping = (wpt: string, fact: string, answer: Answer) => failing(wpt, fact, answer, true);
/** One connection says something that an event follows. */
const reading = (wpt: string, fact: string, body: string | Uint8Array[]): StoreRow => ({
	wpt,
	fact,
	answers: [{ body, then: 'stay' }],
	asked: [''],
	words: ['read'],
});

export const STORE: StoreRow[] = [
	...[204, 205, 210, 299, 404, 410, 503].map((status) =>
		stopping('request-status-error', `status ${status}: it comes back`, {
			status,
			...(status > 205 && { body: word('refused') }),
		}),
	),
	...(['text/plain', 'text/html'] as const).map((type) =>
		stopping('format-mime-valid-bogus', `200 as ${type}: it comes back, and reads nothing of it`, {
			headers: { 'content-type': type },
			body: word('refused'),
		}),
	),
	stopping('format-mime-bogus', 'a content type that is none: it comes back', {
		headers: { 'content-type': 'x bogus' },
		body: word('refused'),
	}),
	{
		wpt: 'format-mime-trailing-semicolon',
		fact: 'a semicolon after the content type is read',
		answers: [
			{ headers: { 'content-type': 'text/event-stream;' }, body: word('read'), then: 'stay' },
		],
		asked: [''],
		words: ['read'],
	},
	{
		wpt: 'eventsource-reconnect',
		fact: 'a body that ended: it comes back by itself, and not by the native reconnect as well',
		answers: [
			{ body: `retry: 1\n${word('one', 'e-1')}` },
			{ body: `retry: 1\n${word('two', 'e-2')}` },
			{ body: word('three', 'e-3'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1', '?cursor=e-2'],
		words: ['one', 'two', 'three'],
	},
	failing('eventsource-reconnect', 'a connection that is cut before it answers', { silent: 'cut' }),
	failing('eventsource-onopen', 'one that opens and dies at once', { body: ':\n\n', then: 'cut' }),
	stopping('eventsource-close', 'reconnected and then refused: the native source would close', {
		status: 500,
	}),
	{
		wpt: 'format-field-retry',
		fact: 'what `retry` says is not followed: the store has its own pace, and `bye`',
		answers: [
			{ body: `retry: 86400000\n${word('one', 'e-1')}` },
			{ body: `${word('two', 'e-2')}event: bye\ndata: {"retryMs":500}\n\n`, then: 'stay' },
			{ body: word('three', 'e-3'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1', '?cursor=e-2'],
		words: ['one', 'two', 'three'],
	},
	{
		wpt: 'format-field-retry',
		fact: 'bye is obeyed at once, and is no failure',
		answers: [
			{ body: `${word('one', 'e-1')}event: bye\ndata: {"retryMs":500}\n\n`, then: 'stay' },
			{ body: word('two', 'e-2'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1'],
		words: ['one', 'two'],
		attempts: 0,
	},
	{
		wpt: 'eventsource-reconnect',
		fact: 'a stream that stays open and is silent for the length of the watchdog is left for a new one',
		hurriesWatchdog: true,
		answers: [
			{ body: word('one', 'e-1'), then: 'stay' },
			{ body: word('two', 'e-2'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1'],
		words: ['one', 'two'],
	},
	{
		wpt: 'format-utf-8',
		fact: 'a charset that a proxy made wrong: it comes back',
		answers: [
			{ headers: { 'content-type': 'text/event-stream; charset=latin1' }, body: word('x') },
			{ body: word('after', 'e-1'), then: 'stay' },
		],
		asked: ['', ''],
		words: ['after'],
	},
	{
		wpt: 'format-data-before-final-empty-line',
		fact: 'an event cut in the middle is not read, and its id is no position',
		answers: [
			{ body: `${word('one', 'e-1')}id: e-2\nevent: word\ndata: "two"\n`, then: 'cut' },
			{ body: word('two', 'e-2'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1'],
		words: ['one', 'two'],
	},
	{
		wpt: 'format-field-id',
		fact: 'the id of the last event is where it resumes',
		answers: [{ body: word('one', '…') }, { body: word('two', 'e-2'), then: 'stay' }],
		asked: ['', '?cursor=%E2%80%A6'],
		words: ['one', 'two'],
	},
	{
		wpt: 'format-field-id-2',
		fact: 'an event without an id leaves the position where it is',
		answers: [{ body: word('one', 'e-1') + word('no id') }, { body: word('two'), then: 'stay' }],
		asked: ['', '?cursor=e-1'],
		words: ['one', 'no id', 'two'],
	},
	{
		wpt: 'format-field-id-3',
		fact: 'so does a new connection that carries no id, and an empty id does not erase it',
		answers: [
			{ body: word('one', 'e-1') },
			{ body: word('two') },
			{ body: `id\n${word('three')}` },
			{ body: word('four'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1', '?cursor=e-1', '?cursor=e-1'],
		words: ['one', 'two', 'three', 'four'],
	},
	{
		wpt: 'format-field-id-null',
		fact: 'an id with NUL is no position',
		answers: [
			{ body: word('one', 'e-1') + word('two', 'e\0-2') },
			{ body: word('three'), then: 'stay' },
		],
		asked: ['', '?cursor=e-1'],
		words: ['one', 'two', 'three'],
	},
	...[301, 302, 303, 307, 308].map((status): StoreRow => ({
		wpt: 'request-redirect',
		fact: `a redirect with ${status} is followed, and the next attempt asks the first address again`,
		answers: [
			{ status, headers: { location: '?moved' } },
			{ body: word('one', 'e-1') },
			{ body: word('two', 'e-2'), then: 'stay' },
		],
		asked: ['', '?moved', '?cursor=e-1'],
		words: ['one', 'two'],
	})),
	stopping('eventsource-cross-origin', 'a redirect to an origin that does not permit it', {
		status: 302,
		headers: { location: ELSEWHERE },
	}),
	stopping('eventsource-constructor-non-same-origin', 'a redirect to something that is not http', {
		status: 302,
		headers: { location: 'ftp://127.0.0.1/' },
	}),
	reading(
		'event-data',
		'events without a listener are ignored',
		`data: 1\n\nevent: other\ndata: 2\n\n${word('read')}`,
	),
	reading('eventsource-onmessage', 'so is one without a name', `data: "x"\n\n${word('read')}`),
	reading('format-bom', 'a byte order mark', `\ufeff${word('read')}`),
	reading('format-comments', 'comments', `: hello\n\n:${'x'.repeat(2_048)}\n${word('read')}`),
	reading('format-newlines', 'CR as line end', word('read').replaceAll('\n', '\r')),
	reading('format-newlines', 'CRLF as line end', word('read').replaceAll('\n', '\r\n')),
	reading(
		'format-utf-8',
		'characters cut in the middle',
		[...Buffer.from(`event: other\ndata: é😀\n\n${word('read')}`)].map((byte) =>
			Uint8Array.of(byte),
		),
	),
];
