/**
 * What lets a page of any site send events. Without credentials in the browser's sense: with `*` it keeps cookies out, and a key is
 * sent by the page itself. A newcomer forgets the errors: without these headers a page cannot read why it was refused.
 * sendBeacon always sends credentials, so its JSON must travel as text/plain, which asks for no permission.
 */

export const CORS_HEADERS = {
	'access-control-allow-origin': '*',
	'access-control-expose-headers': 'retry-after, www-authenticate',
};

export const PREFLIGHT_HEADERS = {
	...CORS_HEADERS,
	'access-control-allow-methods': 'POST',
	'access-control-allow-headers': 'content-type, content-encoding, authorization',
	/** a day; browsers shorten it to their own limit */
	'access-control-max-age': '86400',
};
