/**
 * The `eventsource` folder of the web-platform tests, by the names of its tests without their endings (which have changed over
 * the years), and what of it is not a row of a table here.
 */

// prettier-ignore
export const FOLDER = [
	'META.yml', 'README.md', 'WEB_FEATURES.yml', 'resources/',
	'event-data', 'eventsource-bfcache', 'eventsource-close', 'eventsource-constructor-document-domain',
	'eventsource-constructor-empty-url', 'eventsource-constructor-non-same-origin', 'eventsource-constructor-stringify',
	'eventsource-constructor-url-bogus', 'eventsource-constructor-url-multi-window', 'eventsource-cross-origin',
	'eventsource-cross-origin-preflight', 'eventsource-cross-origin-redirect-origin', 'eventsource-eventtarget',
	'eventsource-from-readable-stream', 'eventsource-from-readable-stream-fetch', 'eventsource-onmessage',
	'eventsource-onmessage-realm', 'eventsource-onmessage-trusted', 'eventsource-onopen', 'eventsource-prototype',
	'eventsource-readyState', 'eventsource-reconnect', 'eventsource-request-cancellation', 'eventsource-url',
	'format-bom', 'format-bom-2', 'format-comments', 'format-data-before-final-empty-line', 'format-field-data',
	'format-field-event', 'format-field-event-empty', 'format-field-id', 'format-field-id-2', 'format-field-id-3',
	'format-field-id-null', 'format-field-parsing', 'format-field-retry', 'format-field-retry-bogus',
	'format-field-retry-bogus-2', 'format-field-retry-empty', 'format-field-unknown', 'format-leading-space',
	'format-mime-bogus', 'format-mime-trailing-semicolon', 'format-mime-valid-bogus', 'format-newlines',
	'format-null-character', 'format-utf-8', 'idlharness', 'interfaces',
	'request-accept', 'request-cache-control', 'request-credentials', 'request-redirect', 'request-status-error',
	'dedicated-worker/eventsource-close', 'dedicated-worker/eventsource-close2',
	'dedicated-worker/eventsource-constructor-no-new', 'dedicated-worker/eventsource-constructor-non-same-origin',
	'dedicated-worker/eventsource-constructor-url-bogus', 'dedicated-worker/eventsource-eventtarget',
	'dedicated-worker/eventsource-onmesage', 'dedicated-worker/eventsource-onmessage', 'dedicated-worker/eventsource-onopen',
	'dedicated-worker/eventsource-prototype', 'dedicated-worker/eventsource-url',
	'shared-worker/eventsource-close', 'shared-worker/eventsource-constructor-non-same-origin',
	'shared-worker/eventsource-constructor-url-bogus', 'shared-worker/eventsource-eventtarget',
	'shared-worker/eventsource-onmesage', 'shared-worker/eventsource-onmessage', 'shared-worker/eventsource-onopen',
	'shared-worker/eventsource-prototype', 'shared-worker/eventsource-url',
	'submissions/MOSQUITO/accept-header-include-text-event-stream', 'submissions/MOSQUITO/field-name-event',
	'submissions/MOSQUITO/user-agent-announce-connection',
];

/** Facts whose test is of another shape: the file, and the name of the test in it. */
export const TESTED_IN: { [wpt: string]: readonly [file: string, test: string] } = {
	'eventsource-bfcache': [
		'tests/e2e/trouble.spec.ts',
		'away and back through the back-forward cache: the stream is back, and nothing is missed',
	],
	'eventsource-request-cancellation': [
		'tests/wire/chromium.test.ts',
		'eventsource-request-cancellation: stopped by the browser it comes back, a native source does not',
	],
	'eventsource-constructor-url-bogus': [
		'src/lib/stores/event-stream.test.ts',
		'an address that cannot be built, or opened, is a failure like any other, and says why',
	],
};

const NO_TEST = 'no test';
const INTERFACE = "the object's interface: the browser's own affair, nothing of ours depends on it";
const NO_WORKER = 'the store lives in a document, not in a worker';
const SAME = 'the same fact as the test of the newer name';

/** What concerns neither a server nor our handling, and why. */
export const NOT_OURS: { [wpt: string]: string } = {
	'META.yml': NO_TEST,
	'README.md': NO_TEST,
	'WEB_FEATURES.yml': NO_TEST,
	'resources/': 'what the tests are served from; its answers are in the rows',
	'eventsource-constructor-document-domain':
		'document.domain plays no part: the address is of the own origin',
	'eventsource-constructor-empty-url': 'the address is never empty',
	'eventsource-constructor-stringify': INTERFACE,
	'eventsource-constructor-url-multi-window':
		'addresses are resolved in the window that made the store',
	'eventsource-cross-origin-redirect-origin': 'the store does not read `origin`',
	'eventsource-eventtarget': INTERFACE,
	'eventsource-from-readable-stream': 'a proposal that the store does not use',
	'eventsource-from-readable-stream-fetch': 'a proposal that the store does not use',
	'eventsource-onmessage-realm': INTERFACE,
	'eventsource-onmessage-trusted': INTERFACE,
	'eventsource-prototype': INTERFACE,
	'eventsource-readyState': INTERFACE,
	'eventsource-url': INTERFACE,
	idlharness: INTERFACE,
	interfaces: INTERFACE,
	'submissions/MOSQUITO/accept-header-include-text-event-stream': SAME,
	'submissions/MOSQUITO/field-name-event': SAME,
	'submissions/MOSQUITO/user-agent-announce-connection': SAME,
	...Object.fromEntries(
		FOLDER.filter((name) => /^(dedicated|shared)-worker\//.test(name)).map((name) => [
			name,
			NO_WORKER,
		]),
	),
};
