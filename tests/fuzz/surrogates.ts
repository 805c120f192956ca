/**
 * Half letters, in every place where text is taken: as the escape that JSON allows, and as the three bytes that UTF-8 does not (CESU-8). They are
 * part of each batch, and not left to chance: what is no letter has broken many a parser, log and database.
 */
import { get, post, type FuzzRequest } from './request';

const KIND = 'half a letter';
/** U+D800 and U+DFFF alone, both as a pair of six bytes, and a half that is cut. */
const BYTES = ['\xed\xa0\x80', '\xed\xbf\xbf', '\xed\xa0\xbd\xed\xb8\x80', '\xed\xa0'];
const ESCAPES = ['\\ud800', '\\uDFFF', '\\ude00\\ud83d', '\\ud83d'];
const PERCENT = ['%ED%A0%80', '%ed%bf%bf', '%ED%A0%BD%ED%B8%80'];

const FORM = 'application/x-www-form-urlencoded';
const STREAM = '/api/dashboard/stream';
const OWN = { cookie: 'nowboard_viewer={session}' };
const OURS = { ...OWN, origin: '{origin}' };

const EVENTS = [
	(text: string) => `{"name":"${text}"}`,
	(text: string) => `{"name":"a","source":"${text}"}`,
	(text: string) => `{"name":"a","sessionId":"${text}"}`,
	(text: string) => `{"name":"a","eventId":"${text}"}`,
	(text: string) => `{"name":"a","timestamp":"${text}"}`,
	(text: string) => `{"name":"a","properties":{"a":"${text}"}}`,
	(text: string) => `{"name":"a","properties":{"${text}":1}}`,
	(text: string) => `{"${text}":1}`,
	(text: string) => `[{"name":"a"},"${text}"]`,
	(text: string) => text,
];
const inEvents = [...BYTES, ...ESCAPES].flatMap((text) =>
	EVENTS.map((toBody) => post(KIND, Buffer.from(toBody(text), 'latin1'))),
);
const inForms = [...BYTES, ...PERCENT].flatMap((text) =>
	['name', 'days', 'source', 'origins', 'id'].map((name) => ({
		...post(KIND, Buffer.from(`kind=secret&${name}=${text}`, 'latin1'), {
			...OURS,
			'content-type': FORM,
		}),
		path:
			name === 'id'
				? '/settings?/unshare'
				: `/settings?/${name === 'source' || name === 'origins' ? 'makeKey' : 'share'}`,
	})),
);
const inAddresses = PERCENT.flatMap((text) => [
	get(KIND, `/s/${text}`),
	get(KIND, `/${text}`),
	get(KIND, `${STREAM}?cursor=${text}`, OWN),
	get(KIND, `${STREAM}?source=${text}`, OWN),
	get(KIND, `${STREAM}?token=${text}`),
	get(KIND, `/api/dashboard/history?range=24h&source=${text}`, OWN),
	get(KIND, `/api/dashboard/history?range=24h&zone=${text}`, OWN),
	get(KIND, `/s/{link}?to=/${text}`),
	{ ...post(KIND, Buffer.from('{"name":"a"}')), path: `/api/events?key=${text}` },
]);
const inHeaders = BYTES.flatMap((text) => [
	get(KIND, STREAM, { cookie: `nowboard_viewer=${text}` }),
	get(KIND, STREAM, { ...OWN, 'last-event-id': text }),
	get(KIND, '/metrics', { authorization: `Bearer ${text}` }),
	get(KIND, '/', { ...OWN, 'accept-language': text, 'user-agent': text, referer: text }),
	post(KIND, Buffer.from('{"name":"a"}'), { authorization: `Bearer ${text}`, origin: text }),
]);

export const surrogates: readonly FuzzRequest[] = [
	...inEvents,
	...inForms,
	...inAddresses,
	...inHeaders,
];
