/** Headers that every answer carries; the content security policy is SvelteKit's (svelte.config.js), since it knows the nonces. */

const HEADERS = {
	'x-content-type-options': 'nosniff',
	// a link to somewhere else does not tell where from
	'referrer-policy': 'same-origin',
	'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
	// for browsers that do not know frame-ancestors
	'x-frame-options': 'DENY',
};
/** Two years, as the preload lists ask. */
const HSTS = 'max-age=63072000; includeSubDomains';

/** Adds what the response does not set itself, and returns it. */
export function secureHeaders(response: Response, isSecure: boolean): Response {
	for (const [name, value] of Object.entries(HEADERS))
		if (!response.headers.has(name)) response.headers.set(name, value);
	if (isSecure) response.headers.set('strict-transport-security', HSTS);
	return response;
}
