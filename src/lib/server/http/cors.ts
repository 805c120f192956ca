/**
 * Lets pages of any site send events. Without credentials: `*` excludes cookies, and the page sends its key
 * itself. Errors need these headers too, or the page cannot read why it was refused. sendBeacon always
 * sends credentials, so its JSON must travel as text/plain, which needs no preflight.
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
