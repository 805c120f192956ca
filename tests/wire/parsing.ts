/**
 * What the web-platform tests say about reading an event stream, as facts of our own: bytes in, events out. Judged by two
 * parsers (parsing.test.ts) and a real Chromium (tests/e2e/wire.spec.ts). `wpt` names the file in the `eventsource` folder.
 */
import type { Received } from './parsers';

export type ParsingRow = {
	wpt: string;
	fact: string;
	wire: string;
	/** `[event, data, id]`; a stream that named no event and no id: `[data]` */
	events: (readonly [data: string] | readonly [event: string, data: string, id: string])[];
	retryMs?: number;
	/** `content-type` of the answer, where it is not exactly `text/event-stream` */
	type?: string;
	/** what a reconnecting browser sends as Last-Event-ID; null: no such header */
	resumes?: string | null;
	/** parsers that are known to be wrong here, with what they do */
	wrong?: { [parser: string]: string };
};

export const toReceived = (events: ParsingRow['events']): Received[] =>
	events.map(([first, data, id]) =>
		data === undefined
			? { event: 'message', data: first, id: '' }
			: { event: first, data, id: id ?? '' },
	);

const LONG = 'x'.repeat(2_048);
const BOM = '\ufeff';

export const PARSING: ParsingRow[] = [
	{
		wpt: 'event-data',
		fact: 'lines of data are joined; fields that do not exist, and `Data`, are none',
		wire: 'data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n',
		events: [['msg\nmsg'], [''], ['end']],
	},
	{
		wpt: 'format-bom',
		fact: 'one byte order mark at the very beginning is no part of the stream; a later one spoils its field',
		wire: `${BOM}data:1\n\n${BOM}data:2\n\ndata:3\n\n`,
		events: [['1'], ['3']],
	},
	{
		wpt: 'format-bom-2',
		fact: 'of two byte order marks the second spoils the first field',
		wire: `${BOM}${BOM}data:1\n\ndata:2\n\ndata:3\n\n`,
		events: [['2'], ['3']],
	},
	{
		wpt: 'format-comments',
		fact: 'lines that begin with a colon are comments, however long, and with any byte but a line end',
		wire: `data:1\r:\0\n:\r\ndata:2\n:${LONG}\rdata:3\n:data:fail\r:${LONG}\ndata:4\n\n`,
		events: [['1\n2\n3\n4']],
	},
	{
		wpt: 'format-data-before-final-empty-line',
		fact: 'an event without its blank line is none, and its id is no position',
		wire: 'retry:1\ndata:test1\n\nid:test\ndata:test2',
		events: [['test1']],
		retryMs: 1,
		resumes: null,
	},
	{
		wpt: 'format-data-before-final-empty-line',
		fact: 'nor is one whose last line ended: the blank line counts',
		wire: 'retry:1\nid:one\ndata:test1\n\nid:two\ndata:test2\n',
		events: [['message', 'test1', 'one']],
		retryMs: 1,
		resumes: 'one',
	},
	{
		wpt: 'format-field-data',
		fact: '`data` without a colon is an empty line',
		wire: 'data:\n\ndata\ndata\n\ndata:test\n\n',
		events: [[''], ['\n'], ['test']],
	},
	{
		wpt: 'format-field-event',
		fact: 'an event has a name for itself only',
		wire: 'event:test\ndata:x\n\ndata:x\n\n',
		events: [['test', 'x', ''], ['x']],
	},
	{
		wpt: 'format-field-event-empty',
		fact: 'an empty name is `message`',
		wire: 'event: \ndata:data\n\n',
		events: [['data']],
	},
	{
		wpt: 'format-field-id',
		fact: 'the id comes with the event, and as Last-Event-ID with the next request, in UTF-8',
		wire: 'retry:1\nid:…\ndata:hello\n\n',
		events: [['message', 'hello', '…']],
		retryMs: 1,
		resumes: '…',
	},
	{
		wpt: 'format-field-id-2',
		fact: 'an event without an id leaves the position where it was',
		wire: 'retry:1\nid:…\ndata:hello\n\ndata:more\n\n',
		events: [
			['message', 'hello', '…'],
			['message', 'more', '…'],
		],
		retryMs: 1,
		resumes: '…',
	},
	{
		wpt: 'format-field-id-3',
		fact: 'an id persists',
		wire: 'id: 1\ndata: 1\n\ndata:2\n\n',
		events: [
			['message', '1', '1'],
			['message', '2', '1'],
		],
	},
	{
		wpt: 'format-field-id-3',
		fact: 'it changes and persists',
		wire: 'id: 1\ndata: 1\n\nid: 2\ndata:2\n\ndata:3\n\n',
		events: [
			['message', '1', '1'],
			['message', '2', '2'],
			['message', '3', '2'],
		],
	},
	{
		wpt: 'format-field-id-3',
		fact: 'an empty id erases it, and no header is sent',
		wire: 'retry:1\nid: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n',
		events: [['message', '1', '1'], ['2'], ['3']],
		retryMs: 1,
		resumes: null,
	},
	{
		wpt: 'format-field-id-null',
		fact: 'an id with NUL is no id',
		wire: 'retry:1\nid:\0\0\ndata:1\n\nid:x\0\ndata:2\n\nid:\0x\ndata:3\n\nid: \0\ndata:4\n\n',
		events: [['1'], ['2'], ['3'], ['4']],
		retryMs: 1,
		resumes: null,
	},
	{
		wpt: 'format-field-id-null',
		fact: 'and leaves the one before it',
		wire: 'retry:1\nid:1\ndata:1\n\nid:2\0\ndata:2\n\n',
		events: [
			['message', '1', '1'],
			['message', '2', '1'],
		],
		retryMs: 1,
		resumes: '1',
	},
	{
		wpt: 'format-field-parsing',
		fact: 'a name is exact: no other case, no NUL, no hyphen, no space before it; one space after the colon goes',
		wire: 'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n',
		events: [['\0\n 2\n1\n3\n\n4']],
	},
	{
		wpt: 'format-field-retry',
		fact: 'leading zeros count for nothing',
		wire: 'retry:0700\ndata:x\n\n',
		events: [['x']],
		retryMs: 700,
	},
	{
		wpt: 'format-field-retry-bogus',
		fact: 'only digits count: a wrong retry leaves the one before it',
		wire: 'retry:700\nretry:5x\ndata:x\n\n',
		events: [['x']],
		retryMs: 700,
	},
	{
		wpt: 'format-field-retry-bogus-2',
		fact: 'also when it begins with more digits, a sign or a fraction',
		wire: 'retry:700\nretry:5000x\nretry:-5\nretry:5.5\nretry:٣\ndata:x\n\n',
		events: [['x']],
		retryMs: 700,
	},
	{
		wpt: 'format-field-retry-empty',
		fact: 'an empty retry is none',
		wire: 'retry\nretry:\ndata:test\n\n',
		events: [['test']],
	},
	{
		wpt: 'format-field-unknown',
		fact: 'unknown fields, and lines without a colon, are passed over',
		wire: 'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n',
		events: [['test\n\ntest']],
	},
	{
		wpt: 'format-leading-space',
		fact: 'a tab after the colon stays; one space goes',
		wire: 'data:\ttest\rdata: \ndata:test\n\n',
		events: [['\ttest\n\ntest']],
	},
	{
		wpt: 'format-mime-trailing-semicolon',
		fact: 'a semicolon after the content type is harmless',
		type: 'text/event-stream;',
		wire: 'data:data\n\n',
		events: [['data']],
	},
	{
		wpt: 'format-newlines',
		fact: 'CR, LF and CRLF end a line, and CRLF ends one line',
		wire: 'data:test\r\ndata\ndata:test\r\n\r\n',
		events: [['test\n\ntest']],
	},
	{
		wpt: 'format-newlines',
		fact: 'CR ends it at once, whatever may follow',
		wire: 'data:test\r\r',
		events: [['test']],
		wrong: { 'eventsource-parser': 'it waits for the byte after a CR, which may be an LF' },
	},
	{
		wpt: 'format-null-character',
		fact: 'NUL in data is data',
		wire: 'data:\0\n\n\n\n',
		events: [['\0']],
	},
	{
		wpt: 'format-utf-8',
		fact: 'it is UTF-8 whatever the charset says',
		type: 'text/event-stream;charset=windows-1252',
		wire: 'data:ok…\n\n',
		events: [['ok…']],
		wrong: { Chromium: 'it refuses a charset that is not UTF-8' },
	},
	{
		wpt: 'format-utf-8',
		fact: 'a charset that is right is harmless',
		type: 'text/event-stream;charset=utf-8',
		wire: 'data:ok…\n\n',
		events: [['ok…']],
	},
];
